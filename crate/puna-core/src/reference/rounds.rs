//! Twin of `shaders/kernel/rounds.wgsl`.

/// What a loop counts that goes round `asked` times: 1 each time, and 2 where a generator's number (Press et al. 1992) ends in 7.
#[must_use]
pub fn rounds(asked: u32) -> u32 {
    let mut number = asked;
    let mut count = 0;
    for _ in 0..asked {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        count += if number % 1024 == 7 { 2 } else { 1 };
    }
    count
}
