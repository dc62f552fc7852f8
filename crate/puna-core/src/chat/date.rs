//! The date that a template may print: given from outside, since nothing here has a clock.

use std::fmt::Write as _;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day from 1900 on; `month` from 1, `day` from 1; `None` if there is no such day.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(leap),
            _ => return None,
        };
        let exists = (1900..=9999).contains(&year) && (1..=days).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// Days since a Sunday, 0 to 6 (Zeller's congruence, by counting days).
    fn weekday(self) -> usize {
        // Counted from March, so that the leap day is a year's last.
        let (year, month) = match self.month {
            1 | 2 => (u32::from(self.year) - 1, u32::from(self.month) + 9),
            month => (u32::from(self.year), u32::from(month) - 3),
        };
        let leap_days = year / 4 - year / 100 + year / 400;
        let days = 365 * year + leap_days + (153 * month + 2) / 5 + u32::from(self.day);
        // 0 March of the year 0 was a Tuesday.
        ((days + 2) % 7) as usize
    }

    /// The date as C's `strftime` writes it; `Err` names a directive that is not a date's.
    pub(super) fn format(self, format: &str) -> Result<String, String> {
        let month = usize::from(self.month)
            .checked_sub(1)
            .and_then(|ix| MONTHS.get(ix));
        let month = month.copied().unwrap_or_default();
        let day = DAYS.get(self.weekday()).copied().unwrap_or_default();
        let mut text = String::new();
        let mut rest = format.chars();
        while let Some(character) = rest.next() {
            if character != '%' {
                text.push(character);
                continue;
            }
            // Writing to a string can't fail.
            let _ = match rest.next() {
                Some('Y') => write!(text, "{}", self.year),
                Some('y') => write!(text, "{:02}", self.year % 100),
                Some('m') => write!(text, "{:02}", self.month),
                Some('d') => write!(text, "{:02}", self.day),
                Some('e') => write!(text, "{:2}", self.day),
                Some('B') => write!(text, "{month}"),
                Some('b' | 'h') => write!(text, "{}", month.get(..3).unwrap_or_default()),
                Some('A') => write!(text, "{day}"),
                Some('a') => write!(text, "{}", day.get(..3).unwrap_or_default()),
                Some('F') => write!(text, "{}-{:02}-{:02}", self.year, self.month, self.day),
                Some('%') => write!(text, "%"),
                Some(other) => return Err(format!("%{other}")),
                None => return Err("%".to_owned()),
            };
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_strftime_writes_them() {
        let cases = [
            (
                (2024, 7, 26),
                "%d %b %Y|%A %e %B",
                "26 Jul 2024|Friday 26 July",
            ),
            ((2000, 2, 29), "%F %a %y %%", "2000-02-29 Tue 00 %"),
            ((1999, 12, 31), "%a %m", "Fri 12"),
            ((2026, 1, 1), "%A|%e", "Thursday| 1"),
            ((2023, 3, 1), "%A", "Wednesday"),
        ];
        for ((year, month, day), format, expected) in cases {
            let date = Date::new(year, month, day).unwrap();
            assert_eq!(
                date.format(format).as_deref(),
                Ok(expected),
                "{year}-{month}-{day}"
            );
        }
        let date = Date::new(2024, 1, 1).unwrap();
        assert_eq!(
            date.format("%H"),
            Err("%H".to_owned()),
            "there is no time of day"
        );
        assert_eq!(date.format("a%"), Err("%".to_owned()), "cut off");
    }

    #[test]
    fn there_are_no_other_days() {
        for (year, month, day) in [
            (2023, 2, 29),
            (1900, 2, 29),
            (2024, 4, 31),
            (2024, 13, 1),
            (2024, 0, 1),
            (2024, 1, 0),
            (1899, 1, 1),
        ] {
            assert_eq!(Date::new(year, month, day), None, "{year}-{month}-{day}");
        }
        assert!(Date::new(2000, 2, 29).is_some(), "divisible by 400");
    }
}
