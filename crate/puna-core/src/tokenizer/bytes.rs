//! The alphabet of byte-level BPE: every byte is written as one printable character.
//!
//! From GPT-2 (`bytes_to_unicode` of its encoder): the printable bytes of Latin-1 stand for
//! themselves, the other 68 take the characters from U+0100 on, in order.

/// The bytes that stand for themselves, as inclusive ranges.
const PRINTABLE: [(u8, u8); 3] = [(b'!', b'~'), (0xa1, 0xac), (0xae, 0xff)];

const fn is_printable(byte: u8) -> bool {
    let mut ix = 0;
    while ix < PRINTABLE.len() {
        if byte >= PRINTABLE[ix].0 && byte <= PRINTABLE[ix].1 {
            return true;
        }
        ix += 1;
    }
    false
}

/// `TO_CHAR[byte]` is the character that byte is written as.
pub(super) const TO_CHAR: [char; 256] = {
    let mut table = ['\0'; 256];
    let mut next = 0x100;
    let mut byte = 0;
    while byte < 256 {
        let own = if is_printable(byte as u8) {
            byte as u32
        } else {
            next += 1;
            next - 1
        };
        table[byte] = match char::from_u32(own) {
            Some(character) => character,
            None => panic!("a code point below 0x144 is a character"),
        };
        byte += 1;
    }
    table
};

/// The byte that `character` stands for, if it is one of the 256.
pub(super) const fn to_byte(character: char) -> Option<u8> {
    /// `OTHERS[i]` is written as U+0100 + i.
    const OTHERS: [u8; 68] = {
        let mut table = [0; 68];
        let mut count = 0;
        let mut byte = 0;
        while byte < 256 {
            if !is_printable(byte as u8) {
                table[count] = byte as u8;
                count += 1;
            }
            byte += 1;
        }
        table
    };
    let code = character as u32;
    if code < 0x100 {
        let byte = code.to_le_bytes()[0];
        if is_printable(byte) { Some(byte) } else { None }
    } else if code < 0x100 + OTHERS.len() as u32 {
        Some(OTHERS[(code - 0x100) as usize])
    } else {
        None
    }
}

/// Writes `text` in the alphabet, replacing what `out` held.
pub(super) fn write(text: &str, out: &mut String) {
    out.clear();
    out.extend(text.bytes().map(|byte| TO_CHAR[usize::from(byte)]));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_character_and_comes_back() {
        for byte in 0..=255_u8 {
            assert_eq!(
                to_byte(TO_CHAR[usize::from(byte)]),
                Some(byte),
                "byte {byte:#04x}"
            );
        }
        assert_eq!(TO_CHAR[usize::from(b' ')], 'Ġ', "as in GPT-2's vocabulary");
        assert_eq!(TO_CHAR[usize::from(b'\n')], 'Ċ', "as in GPT-2's vocabulary");
        assert_eq!(TO_CHAR[0xad], 'Ń', "the last of the 68");
    }

    #[test]
    fn other_characters_stand_for_no_byte() {
        for character in [' ', '\u{7f}', '\u{a0}', '\u{ad}', '\u{144}', '▁', '｜'] {
            assert_eq!(to_byte(character), None, "{character:?}");
        }
        let mut out = b"kept".to_vec();
        assert_eq!(read("ab▁", &mut out), None, "not of the alphabet");
        assert_eq!(out, b"kept", "a failed read leaves nothing behind");
    }
}
