use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};

use super::Instant;

/// How a vendor writes an instant: a `strftime` pattern and the offset that the digits are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    pattern: String,
    offset: Offset,
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
        let format = Format { pattern: pattern.to_owned(), offset };
        strtime::format(&format.pattern, &SAMPLE.timestamp().to_zoned(TimeZone::fixed(offset)))
            .map_err(|error| format!("`{pattern}` is not a time pattern: {error}"))?;
        Ok(format)
    }

    /// How it is said in a pack.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    pub(crate) fn write(&self, instant: Instant) -> String {
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
        Format { pattern: "%Y-%m-%dT%H:%M:%SZ".to_owned(), offset: Offset::UTC }
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
    fn a_pattern_that_loses_the_date_is_refused() {
        assert!(Format::new("%H:%M", None).is_err());
        assert_eq!(Format::for_people("%H:%M", Some("+05:30")).unwrap().write(Instant::START), "22:45");
        assert!(Format::new("%Q!", None).is_err());
        assert!(Format::new("%Y-%m-%d %H:%M:%S", Some("5h")).is_err());
    }
}
