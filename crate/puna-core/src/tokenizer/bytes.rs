//! The alphabet of byte-level BPE: every byte is written as one printable character.
//!
//! From GPT-2 (`bytes_to_unicode` of its encoder): the printable bytes of Latin-1 stand for
//! themselves, the other 68 take the characters from U+0100 on, in order.

/// The bytes that stand for themselves.
const fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

/// The character of the first byte that does not stand for itself.
const FIRST_OTHER: u32 = 0x100;

/// `OTHERS[i]` is written as U+0100 + i.
#[expect(
    clippy::indexing_slicing,
    reason = "computed by the compiler, which would refuse an index out of range"
)]
const OTHERS: [u8; 68] = {
    let mut table = [0; 68];
    let mut count = 0;
    let mut byte = 0_u8;
    loop {
        if !is_printable(byte) {
            table[count] = byte;
            count += 1;
        }
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// The character that `byte` is written as.
pub(crate) fn to_char(byte: u8) -> char {
    if is_printable(byte) {
        return char::from(byte);
    }
    let others = (FIRST_OTHER..)
        .zip(OTHERS)
        .find(|(_, other)| *other == byte);
    others
        .and_then(|(code, _)| char::from_u32(code))
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that `character` stands for, if it is one of the 256.
pub(super) fn to_byte(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code.checked_sub(FIRST_OTHER) {
        None => u8::try_from(code).ok().filter(|byte| is_printable(*byte)),
        Some(ix) => OTHERS.get(usize::try_from(ix).ok()?).copied(),
    }
}

/// Writes `text` in the alphabet, replacing what `out` held.
pub(super) fn write(text: &str, out: &mut String) {
    out.clear();
    out.extend(text.bytes().map(to_char));
}

/// The bytes of a vocabulary entry; `None` if a character is not of the alphabet.
pub(super) fn read(entry: &str, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    for character in entry.chars() {
        let Some(byte) = to_byte(character) else {
            out.truncate(start);
            return None;
        };
        out.push(byte);
    }
    Some(())
}

/// The byte of a token written as `<0x0A>`.
pub(super) fn from_hex(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let is_hex = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_character_and_comes_back() {
        for byte in 0..=255_u8 {
            assert_eq!(to_byte(to_char(byte)), Some(byte), "byte {byte:#04x}");
        }
        assert_eq!(to_char(b' '), 'Ġ', "as in GPT-2's vocabulary");
        assert_eq!(to_char(b'\n'), 'Ċ', "as in GPT-2's vocabulary");
        assert_eq!(to_char(0xad), 'Ń', "the last of the 68");
    }

    #[test]
    fn other_characters_stand_for_no_byte() {
        for character in [' ', '\u{7f}', '\u{a0}', '\u{ad}', '\u{144}', '▁', '｜'] {
            assert_eq!(to_byte(character), None, "{character:?}");
        }
        assert_eq!(from_hex("<0x0A>"), Some(b'\n'), "by its number");
        for token in ["<0x0>", "<0x+A>", "0x0A", "<0x0A0>", "<0x0A"] {
            assert_eq!(from_hex(token), None, "{token}");
        }
        let mut out = b"kept".to_vec();
        assert_eq!(read("ab▁", &mut out), None, "not of the alphabet");
        assert_eq!(out, b"kept", "a failed read leaves nothing behind");
    }
}
