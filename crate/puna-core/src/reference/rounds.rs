//! Twin of `shaders/kernel/rounds.wgsl`.

/// What a loop counts that goes round `asked` times: 1 each time, and 2 where a generator's number (Press et al. 1992) ends in 7.
#[must_use]
pub fn rounds(asked: u32) -> u32 {
    counted(asked, asked)
}

/// What it has counted after so many rounds.
#[must_use]
pub fn counted(asked: u32, rounds: u32) -> u32 {
    steps(asked).take(rounds as usize).sum()
}

/// After how many rounds it has counted that far.
#[must_use]
pub fn until(asked: u32, counted: u32) -> u32 {
    let mut count = 0;
    let rounds = steps(asked).take_while(|step| {
        count += step;
        count <= counted
    });
    u32::try_from(rounds.take(asked as usize).count()).unwrap_or(asked)
}

/// What is counted in each round.
fn steps(asked: u32) -> impl Iterator<Item = u32> {
    let next = |number: &u32| Some(number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let numbers = std::iter::successors(Some(asked), next).skip(1);
    numbers.map(|number| if number % 1024 == 7 { 2 } else { 1 })
}
