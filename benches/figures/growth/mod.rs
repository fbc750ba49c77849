//! How cost grows as the work grows: one file for each kind of size.
//!
//! `cargo bench --bench figures -- growth --only records,bodies` measures some of them. Each curve is a table, a picture
//! and a sentence on its shape, which stands beside the calls that it is about.

mod agenda;
mod bodies;
mod crowd;
mod fill;
mod grid;
mod journal;
mod operations;
mod records;

use crate::chart::{Chart, Series};
use crate::options::Options;
use crate::section::{Picture, Section, Table};
use crate::stats::grouped;
use grid::Line;

/// What a table, its picture and their explanation are about.
pub struct Heading {
    /// Of the picture's file.
    name: &'static str,
    title: &'static str,
    /// What is counted along the curve.
    sizes: &'static str,
    explained: &'static str,
}

/// What takes curves.
type Part = fn(&Options) -> Vec<Curve>;

/// What one file measures, by the name that chooses it.
const PARTS: &[(&str, Part)] = &[
    ("operations", operations::run),
    ("records", records::run),
    ("sandboxes", crowd::sandboxes),
    ("journal", journal::run),
    ("agenda", agenda::run),
    ("bodies", bodies::run),
    ("connections", crowd::connections),
];

/// A curve as it is shown.
pub struct Curve(Vec<Table>);

impl Curve {
    /// Calls, by what they cost.
    fn of(heading: &Heading, sizes: &[u64], lines: &[Line]) -> Self {
        let cpu: Vec<_> = lines.iter().map(|line| (line.name, line.cpu())).collect();
        let whole: Vec<_> = lines.iter().map(|line| (line.name, line.whole())).collect();
        let title = format!("{}: the whole call, in µs", heading.title);
        let mut tables = Curve::with(heading, "processor time of the server, in µs for each call", sizes, &cpu).0;
        tables.push(table(&title, heading.sizes, sizes, &whole));
        Curve(tables)
    }

    /// Other numbers, in a unit.
    fn with(heading: &Heading, unit: &str, sizes: &[u64], rows: &[(&str, Vec<f64>)]) -> Self {
        let mut table = table(&format!("{}: {unit}", heading.title), heading.sizes, sizes, rows);
        table.picture = Some(picture(heading, unit, sizes, rows));
        Curve(vec![table])
    }
}

/// The part.
pub fn run(options: &Options) -> Section {
    let mut section = Section::new("Growth", ABOUT);
    let only = options.list("--only", "");
    for (name, part) in PARTS {
        if only.iter().all(String::is_empty) || only.iter().any(|chosen| chosen == name) {
            eprintln!("growth: {name}");
            section.tables.extend(part(options).into_iter().flat_map(|curve| curve.0));
        }
    }
    section
}

const ABOUT: &str = "\
What a call costs as the work around it grows. Each size is a server of its own, and all of them take their turn: a block of \
calls at the first, the same at the next, round after round, over one connection with one request under way. A number is the \
median of the blocks; behind it stands how many times the first number of its row it is. Processor time is the server's own, \
of all its threads; on a machine with other work it is the steadier figure. Reading the clock, a call of the control plane \
that looks up nothing, is the way there and back.";

/// A row for each name: the numbers, each with how many times the first it is.
fn table(title: &str, sizes_are: &str, sizes: &[u64], rows: &[(&str, Vec<f64>)]) -> Table {
    let names: Vec<String> = sizes.iter().map(|size| format!("#{}", grouped(*size as f64))).collect();
    let mut columns = vec![sizes_are];
    columns.extend(names.iter().map(String::as_str));
    let mut table = Table::new(title, &columns);
    for (name, numbers) in rows {
        let first = numbers.first().copied().unwrap_or(1.0);
        let cell = |(index, number): (usize, &f64)| match index {
            0 => rounded(*number),
            _ if first <= 0.0 => rounded(*number),
            _ => format!("{} ({} ×)", rounded(*number), rounded_ratio(number / first)),
        };
        let cells = std::iter::once((*name).to_owned()).chain(numbers.iter().enumerate().map(cell));
        table.row(cells.collect());
    }
    table
}

/// A picture of the same.
fn picture(heading: &Heading, unit: &str, sizes: &[u64], rows: &[(&str, Vec<f64>)]) -> Picture {
    let series = rows.iter().map(|(name, numbers)| Series {
        name: (*name).to_owned(),
        points: sizes.iter().map(|size| *size as f64).zip(numbers.iter().copied()).collect(),
    });
    let chart = Chart {
        title: heading.title,
        description: heading.explained,
        across: heading.sizes,
        upwards: unit,
        series: series.collect(),
    };
    Picture { name: format!("growth-{}", heading.name), caption: heading.explained.to_owned(), svg: chart.svg() }
}

/// Three digits of a number, at least.
fn rounded(number: f64) -> String {
    match number {
        number if number < 10.0 => format!("{number:.2}"),
        number if number < 100.0 => format!("{number:.1}"),
        number => grouped(number),
    }
}

fn rounded_ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { grouped(ratio) }
}

/// Sizes from one to another, each ten times the one before.
fn decades(first: u64, last: u64) -> Vec<u64> {
    std::iter::successors(Some(first), |size| size.checked_mul(10)).take_while(|size| *size <= last).collect()
}

/// A folder beside this file.
fn folder(name: &str) -> String {
    format!("{}/benches/figures/growth/{name}", env!("CARGO_MANIFEST_DIR"))
}
