//! What a part has to show: tables and pictures, printed and written as Markdown.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::machine;

/// The outcome of a part.
#[derive(Default)]
pub struct Section {
    pub title: String,
    /// A paragraph on what is measured and how.
    pub about: String,
    pub tables: Vec<Table>,
    pub pictures: Vec<Picture>,
}

#[derive(Default)]
pub struct Table {
    /// A heading, if there are several.
    pub title: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<String>>,
    /// A sentence or more below it.
    pub remarks: String,
    /// Which shows the same.
    pub picture: Option<Picture>,
}

pub struct Column {
    pub name: String,
    pub number: bool,
}

/// A picture, and the sentence that explains it.
pub struct Picture {
    /// The name of its file, without `.svg`.
    pub name: String,
    pub caption: String,
    pub svg: String,
}

impl Table {
    /// A table whose columns are texts or, where the name begins with `#`, numbers.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let columns = columns
            .iter()
            .map(|name| Column { name: name.trim_start_matches('#').to_owned(), number: name.starts_with('#') });
        Table { title: title.to_owned(), columns: columns.collect(), ..Table::default() }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        self.rows.push(cells);
    }

    fn markdown(&self) -> String {
        let mut text = String::new();
        if !self.title.is_empty() {
            let _ = writeln!(text, "## {}\n", self.title);
        }
        let widths: Vec<usize> = (0..self.columns.len()).map(|index| self.width(index)).collect();
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        self.line(&mut text, &names, &widths);
        let rules = self.columns.iter().zip(&widths).map(|(column, width)| match column.number {
            true => format!("{}:", "-".repeat(width - 1)),
            false => "-".repeat(*width),
        });
        self.line(&mut text, &rules.collect::<Vec<_>>(), &widths);
        for row in &self.rows {
            self.line(&mut text, row, &widths);
        }
        if !self.remarks.is_empty() {
            let _ = writeln!(text, "\n{}", self.remarks);
        }
        if let Some(picture) = &self.picture {
            text.push_str(&picture.markdown());
        }
        text
    }

    fn width(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].chars().count());
        cells.chain([self.columns[index].name.chars().count(), 3]).max().unwrap_or(3)
    }

    fn line(&self, text: &mut String, cells: &[String], widths: &[usize]) {
        for ((cell, width), column) in cells.iter().zip(widths).zip(&self.columns) {
            let blanks = " ".repeat(width - cell.chars().count());
            let _ = if column.number { write!(text, "| {blanks}{cell} ") } else { write!(text, "| {cell}{blanks} ") };
        }
        text.push_str("|\n");
    }
}

impl Picture {
    fn markdown(&self) -> String {
        format!("\n![{}]({}.svg)\n\n{}\n", self.name, self.name, self.caption)
    }
}

impl Section {
    pub fn new(title: &str, about: &str) -> Self {
        Section { title: title.to_owned(), about: about.to_owned(), ..Section::default() }
    }

    /// The page of the part.
    pub fn text(&self) -> String {
        let mut text = format!("# {}\n\n{}\n\n{}\n", self.title, self.about, machine::described());
        for table in &self.tables {
            let _ = write!(text, "\n{}", table.markdown());
        }
        for picture in &self.pictures {
            text.push_str(&picture.markdown());
        }
        text
    }

    /// Writes the page, and its pictures beside it.
    pub fn write(&self, name: &str, quick: bool) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance");
        fs::create_dir_all(&folder).expect("the folder of the pages");
        let mut text = format!("<!-- Made by `cargo bench --bench figures -- {name} --write`. -->\n\n");
        if quick {
            text.push_str("**A quick run, to see that the command works: these are no figures.**\n\n");
        }
        text.push_str(&self.text());
        fs::write(folder.join(name).with_extension("md"), text).expect("the page is written");
        let shown = self.tables.iter().filter_map(|table| table.picture.as_ref());
        for picture in shown.chain(&self.pictures) {
            fs::write(folder.join(format!("{}.svg", picture.name)), &picture.svg).expect("the picture is written");
        }
    }
}
