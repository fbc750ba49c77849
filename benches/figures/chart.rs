//! Pictures: curves on two logarithmic axes, as SVG.
//!
//! A picture brings its own light ground, so that it reads the same on a dark page, and is the same bytes for the same numbers.
//! Curves are told apart by colour and by the shape of their points.

use std::fmt::Write as _;

use crate::stats::grouped;

/// What is drawn.
pub struct Chart<'a> {
    pub title: &'a str,
    /// What it shows, for who does not see it.
    pub description: &'a str,
    pub across: &'a str,
    pub upwards: &'a str,
    pub series: Vec<Series>,
}

/// One curve.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
/// Where the curves are: left, top, right, bottom.
const FRAME: (f64, f64, f64, f64) = (70.0, 56.0, 480.0, 350.0);
const HEIGHT: f64 = 410.0;

/// Colours that people with any sight tell apart (Okabe and Ito), in an order of rising likeness.
const COLOURS: &[&str] =
    &["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#7a5195", "#8c564b", "#666666"];

/// One axis: from one power of ten to another, between two places.
struct Axis {
    from: i32,
    to: i32,
    places: (f64, f64),
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, places: (f64, f64)) -> Self {
        let least = values.clone().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let most = values.fold(0.0, f64::max);
        let power = |value: f64| if value.is_finite() && value > 0.0 { value.log10() } else { 0.0 };
        let (from, to) = (whole(power(least).floor()), whole(power(most).ceil()));
        Axis { from, to: to.max(from + 1), places }
    }

    fn place(&self, value: f64) -> f64 {
        // What is 0 stands at the edge.
        let share = (value.log10().max(f64::from(self.from)) - f64::from(self.from)) / f64::from(self.to - self.from);
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    /// Powers of ten.
    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.from..=self.to).map(|power| 10_f64.powi(power))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "powers of ten are small")]
fn whole(power: f64) -> i32 {
    power as i32
}

impl Chart<'_> {
    pub fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| series.points.iter());
        let (left, top, right, bottom) = FRAME;
        let across = Axis::over(points().map(|point| point.0), (left, right));
        let upwards = Axis::over(points().map(|point| point.1), (bottom, top));
        let mut svg = String::new();
        let _ = writeln!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title description" font-family="system-ui, sans-serif" font-size="12" fill="#1b1f24">"##
        );
        let _ = writeln!(svg, "<title id=\"title\">{}</title>", escaped(self.title));
        let _ = writeln!(svg, "<desc id=\"description\">{}</desc>", escaped(self.description));
        let _ = writeln!(svg, r##"<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#fdfdfb" stroke="#d0d7de"/>"##);
        text(&mut svg, (left, 28.0), r#"font-size="16" font-weight="600""#, self.title);
        text(&mut svg, (left, 46.0), r##"fill="#57606a""##, self.upwards);
        text(&mut svg, (f64::midpoint(left, right), HEIGHT - 18.0), r#"text-anchor="middle""#, self.across);
        for value in across.decades() {
            let x = across.place(value);
            line(&mut svg, (x, top), (x, bottom));
            text(&mut svg, (x, bottom + 18.0), r#"text-anchor="middle""#, &label(value));
        }
        for value in upwards.decades() {
            let y = upwards.place(value);
            line(&mut svg, (left, y), (right, y));
            text(&mut svg, (left - 8.0, y + 4.0), r#"text-anchor="end""#, &label(value));
        }
        for (index, series) in self.series.iter().enumerate() {
            let places: Vec<(f64, f64)> =
                series.points.iter().map(|(x, y)| (across.place(*x), upwards.place(*y))).collect();
            curve(&mut svg, index, &series.name, &places);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A curve with its points, and its line of the legend.
fn curve(svg: &mut String, index: usize, name: &str, places: &[(f64, f64)]) {
    let colour = COLOURS[index % COLOURS.len()];
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"/>"#,
        path.join(" ")
    );
    let (x, y) = (FRAME.2 + 24.0, FRAME.1 + 8.0 + 22.0 * index as f64);
    for place in places.iter().chain([&(x, y - 4.0)]) {
        mark(svg, index, colour, *place);
    }
    text(svg, (x + 12.0, y), "", name);
}

/// A point, in one of four shapes.
fn mark(svg: &mut String, index: usize, colour: &str, (x, y): (f64, f64)) {
    let corners: &[(f64, f64)] = match index % 4 {
        0 => {
            let _ = writeln!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.6" fill="{colour}"/>"#);
            return;
        }
        1 => &[(-3.3, -3.3), (3.3, -3.3), (3.3, 3.3), (-3.3, 3.3)],
        2 => &[(0.0, -4.4), (4.2, 3.4), (-4.2, 3.4)],
        _ => &[(0.0, -4.6), (4.6, 0.0), (0.0, 4.6), (-4.6, 0.0)],
    };
    let corners: Vec<String> = corners.iter().map(|(dx, dy)| format!("{:.1},{:.1}", x + dx, y + dy)).collect();
    let _ = writeln!(svg, r#"<polygon points="{}" fill="{colour}"/>"#, corners.join(" "));
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(svg, r##"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="#e4e7eb"/>"##);
}

fn text(svg: &mut String, (x, y): (f64, f64), more: &str, words: &str) {
    let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" {more}>{}</text>"#, escaped(words));
}

/// A power of ten as people write it.
fn label(value: f64) -> String {
    if value >= 1.0 { grouped(value) } else { format!("{value}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
