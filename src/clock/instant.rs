use std::fmt;

use jiff::{SpanRelativeTo, Timestamp, civil};

/// A point in virtual time: microseconds since 1970-01-01T00:00:00Z, from the year 0 to 9999-12-30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Instant(i64);

/// A length of virtual time in microseconds; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(i64);

const EARLIEST: i64 = -62_167_219_200_000_000;
const LATEST: i64 = 253_402_207_200_000_000;

impl Instant {
    /// Where virtual time starts when nothing else is said: 2024-10-01T17:15:12Z.
    pub(crate) const START: Instant = Instant(1_727_802_912_000_000);

    /// The nearest instant that can be written as a date of four year digits.
    pub(crate) fn from_micros(micros: i64) -> Self {
        Instant(micros.clamp(EARLIEST, LATEST))
    }

    pub(crate) fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 (`2024-10-01T17:15:12Z`, `…+05:30`) or a date and time without zone, taken as UTC.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Ok(Instant::from_micros(timestamp.as_microsecond()));
        }
        text.parse::<civil::DateTime>()
            .ok()
            .and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map(|zoned| Instant::from_micros(zoned.timestamp().as_microsecond()))
            .ok_or_else(|| format!("`{text}` is not an instant: write it like 2024-10-01T17:15:12Z"))
    }

    pub(crate) fn saturating_add(self, span: Span) -> Self {
        Instant::from_micros(self.0.saturating_add(span.0))
    }

    /// From `earlier` to this instant.
    pub(crate) fn since(self, earlier: Instant) -> Span {
        Span(self.0 - earlier.0)
    }

    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// RFC 3339 in UTC, with as many fractional digits as it needs.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}

impl Span {
    pub(crate) fn from_micros(micros: i64) -> Self {
        Span(micros)
    }

    pub(crate) fn micros(self) -> i64 {
        self.0
    }

    /// Reads `7d`, `7 days`, `90s`, `1h 30m` or ISO 8601 `P7D`. A day has 24 hours; months and years vary and are refused.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let remedy = || format!("`{text}` is not a length of time: write it like 7d, 7 days, 90s or P7D");
        let span: jiff::Span = text.trim().parse().map_err(|_| remedy())?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| remedy())?;
        i64::try_from(duration.as_micros()).map(Span).map_err(|_| remedy())
    }
}

/// In the units that people use: `1h 30m`, `90s` as `1m 30s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duration = jiff::SignedDuration::from_micros(self.0);
        jiff::fmt::friendly::SpanPrinter::new().duration_to_string(&duration).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_in_three_ways() {
        let week = Span::from_micros(7 * 86_400 * 1_000_000);
        for text in ["7d", "7 days", "P7D", "168h", "604800s"] {
            assert_eq!(Span::parse(text), Ok(week), "{text}");
        }
        for text in ["", "7", "1 month", "soon", "P1Y"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn instants_are_read_with_and_without_zone() {
        let utc = Instant::parse("2020-04-15T08:44:06.104Z").unwrap();
        assert_eq!(Instant::parse("2020-04-15T14:14:06.104+05:30"), Ok(utc));
        assert_eq!(Instant::parse("2020-04-15 08:44:06.104"), Ok(utc));
        assert_eq!(utc.to_string(), "2020-04-15T08:44:06.104Z");
        assert!(Instant::parse("tomorrow").is_err());
    }

    #[test]
    fn arithmetic_stays_within_writable_years() {
        let late = Instant::from_micros(i64::MAX);
        assert_eq!(late.saturating_add(Span::from_micros(i64::MAX)).to_string(), "9999-12-30T22:00:00Z");
    }
}
