use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};

use super::Instant;

/// How a vendor writes an instant: a `strftime` pattern and the offset that the digits are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    pattern: String,
    offset: Offset,
    /// The pattern taken apart, where it has nothing but the usual parts.
    parts: Option<Box<[Part]>>,
}

/// A part of a pattern that is written without reading the pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// `%.3f`: a point and so many digits, from 1 to 6.
    Fraction(u8),
}

impl Part {
    fn all(pattern: &str) -> Option<Box<[Part]>> {
        let mut parts = Vec::new();
        let mut pieces = pattern.split('%');
        let text = |parts: &mut Vec<Part>, text: &str| {
            if !text.is_empty() {
                parts.push(Part::Text(text.into()));
            }
        };
        text(&mut parts, pieces.next()?);
        for piece in pieces {
            let (part, rest) = match piece.strip_prefix('.') {
                Some(rest) => {
                    let (digits, rest) = rest.split_once('f')?;
                    (Part::Fraction(digits.parse().ok().filter(|digits| (1..=6).contains(digits))?), rest)
                }
                None => {
                    let part = match piece.chars().next()? {
                        'Y' => Part::Year,
                        'm' => Part::Month,
                        'd' => Part::Day,
                        'H' => Part::Hour,
                        'M' => Part::Minute,
                        'S' => Part::Second,
                        _ => return None,
                    };
                    (part, &piece[1..])
                }
            };
            parts.push(part);
            text(&mut parts, rest);
        }
        Some(parts.into())
    }
}

/// Adds a number that has at most so many digits.
fn push(text: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        text.push(char::from(b"0123456789"[(number / 10_u32.pow(place) % 10) as usize]));
    }
}

const SAMPLE: Instant = Instant::START;

impl Format {
    /// `offset` is written like `+05:30`; without one the digits are UTC.
    pub(crate) fn new(pattern: &str, offset: Option<&str>) -> Result<Self, String> {
        let format = Format::for_people(pattern, offset)?;
        let written = format.write(SAMPLE);
        format
            .read(&written)
            .map_err(|_| format!("`{pattern}` does not say date and time: `{written}` cannot be read back"))?;
        Ok(format)
    }

    /// A format that is only written, so that it may say a part of the instant, such as the hour.
    pub(crate) fn for_people(pattern: &str, offset: Option<&str>) -> Result<Self, String> {
        let offset = match offset {
            None => Offset::UTC,
            Some(text) => strtime::parse("%:z", text)
                .ok()
                .and_then(|parts| parts.offset())
                .ok_or_else(|| format!("`{text}` is not an offset: write it like +05:30"))?,
        };
        let format = Format { pattern: pattern.to_owned(), offset, parts: Part::all(pattern) };
        strtime::format(&format.pattern, &SAMPLE.timestamp().to_zoned(TimeZone::fixed(offset)))
            .map_err(|error| format!("`{pattern}` is not a time pattern: {error}"))?;
        Ok(format)
    }

    /// How it is said in a pack.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    pub(crate) fn write(&self, instant: Instant) -> String {
        self.quickly(instant).unwrap_or_else(|| self.by_pattern(instant))
    }

    fn quickly(&self, instant: Instant) -> Option<String> {
        let parts = self.parts.as_deref()?;
        let civil = self.offset.to_datetime(instant.timestamp());
        let year = u32::try_from(civil.year()).ok()?;
        let two = |text: &mut String, number: i8| push(text, u32::from(number.unsigned_abs()), 2);
        let mut text = String::with_capacity(32);
        for part in parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Year => push(&mut text, year, 4),
                Part::Month => two(&mut text, civil.month()),
                Part::Day => two(&mut text, civil.day()),
                Part::Hour => two(&mut text, civil.hour()),
                Part::Minute => two(&mut text, civil.minute()),
                Part::Second => two(&mut text, civil.second()),
                Part::Fraction(digits) => {
                    let micros = civil.subsec_nanosecond().unsigned_abs() / 1000;
                    text.push('.');
                    push(&mut text, micros / 10_u32.pow(6 - u32::from(*digits)), u32::from(*digits));
                }
            }
        }
        Some(text)
    }

    fn by_pattern(&self, instant: Instant) -> String {
        let zoned = instant.timestamp().to_zoned(TimeZone::fixed(self.offset));
        strtime::format(&self.pattern, &zoned).unwrap_or_else(|_| instant.to_string())
    }

    /// Reads what [`Format::write`] writes.
    pub(crate) fn read(&self, text: &str) -> Result<Instant, String> {
        let wrong = || format!("`{text}` is not written as `{}`", self.pattern);
        let parts = strtime::parse(&self.pattern, text).map_err(|_| wrong())?;
        if let Ok(timestamp) = parts.to_timestamp() {
            return Ok(Instant::from_micros(timestamp.as_microsecond()));
        }
        let civil = parts.to_datetime().map_err(|_| wrong())?;
        let timestamp = self.offset.to_timestamp(civil).map_err(|_| wrong())?;
        Ok(Instant::from_micros(timestamp.as_microsecond()))
    }
}

impl Default for Format {
    fn default() -> Self {
        let pattern = "%Y-%m-%dT%H:%M:%SZ";
        Format { pattern: pattern.to_owned(), offset: Offset::UTC, parts: Part::all(pattern) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_documented_spellings_are_written_and_read() {
        for (pattern, offset, text) in [
            ("%Y-%m-%d %H:%M:%S", None, "2024-10-08 17:15:12"),
            ("%Y-%m-%dT%H:%M:%S%.6fZ", None, "2024-10-02T06:14:50.898761Z"),
            ("%Y-%m-%dT%H:%M:%S%.6f", None, "2017-04-25T22:00:47.047560"),
            ("%Y-%m-%dT%H:%M:%S%.3f%z", Some("+05:30"), "2020-04-15T14:14:06.104+0530"),
        ] {
            let format = Format::new(pattern, offset).unwrap();
            assert_eq!(format.write(format.read(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_written_quickly_is_what_the_pattern_says() {
        let patterns = [
            ("%Y-%m-%d %H:%M:%S", None),
            ("%Y-%m-%dT%H:%M:%S%.6fZ", None),
            ("%d.%m.%Y, %H Uhr %M é", Some("-03:30")),
            ("%Y-%m-%dT%H:%M:%S%.3f", Some("+05:30")),
            ("%.1f", None),
        ];
        let days = (-800_000..=2_900_000_i64).step_by(99_991);
        let instants =
            days.flat_map(|day| [0, 1, 86_399_999_999, 43_200_054_321].map(|micros| day * 86_400_000_000 + micros));
        let mut quick = 0;
        for micros in instants {
            let instant = Instant::from_micros(micros);
            for (pattern, offset) in patterns {
                let format = Format::for_people(pattern, offset).unwrap();
                if let Some(text) = format.quickly(instant) {
                    assert_eq!(text, format.by_pattern(instant), "{pattern} at {micros}");
                    quick += 1;
                }
            }
        }
        assert!(quick > 400, "{quick}");
        for pattern in ["%A", "%-d", "%z", "%%", "%.f", "%.9f", "%"] {
            assert_eq!(Part::all(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_loses_the_date_is_refused() {
        assert!(Format::new("%H:%M", None).is_err());
        assert_eq!(Format::for_people("%H:%M", Some("+05:30")).unwrap().write(Instant::START), "22:45");
        assert!(Format::new("%Q!", None).is_err());
        assert!(Format::new("%Y-%m-%d %H:%M:%S", Some("5h")).is_err());
    }
}
