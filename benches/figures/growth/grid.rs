//! Curves: what each of some calls costs at each of some sizes.
//!
//! All sizes are measured in turn: a block of calls at the first, a block of the same at the second, and so on, round after
//! round, so that whatever slows the machine down for a while slows all of them. There is one request under way at a time.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::process::Server;
use crate::stats::median;

/// One call, which is made at every size.
pub struct Row<T> {
    pub name: &'static str,
    pub status: u16,
    /// What must have happened before, each time.
    pub before: Option<fn(&T, u64) -> String>,
    /// The request, made of the turn and of the answer to `before`, head and body.
    pub request: fn(&T, u64, &str) -> String,
}

impl<T> Row<T> {
    pub fn new(name: &'static str, status: u16, request: fn(&T, u64, &str) -> String) -> Self {
        Row { name, status, before: None, request }
    }

    pub fn behind(self, before: fn(&T, u64) -> String) -> Self {
        Row { before: Some(before), ..self }
    }
}

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: u64,
    /// In a block, unless they take longer than `longest`.
    pub calls: u64,
    pub longest: Duration,
}

/// What was measured of one call at one size, in microseconds for each block.
#[derive(Default)]
pub struct Point {
    whole: Vec<f64>,
    cpu: Vec<f64>,
}

impl Point {
    pub fn add(&mut self, whole: f64, cpu: f64) {
        self.whole.push(whole);
        self.cpu.push(cpu);
    }
}

/// A call at all sizes.
pub struct Line {
    pub name: &'static str,
    pub points: Vec<Point>,
}

impl Line {
    pub fn new(name: &'static str, sizes: usize) -> Self {
        Line { name, points: (0..sizes).map(|_| Point::default()).collect() }
    }

    /// The median of the whole calls at each size.
    pub fn whole(&self) -> Vec<f64> {
        self.points.iter().map(|point| median(&point.whole)).collect()
    }

    /// The median of the processor times at each size.
    pub fn cpu(&self) -> Vec<f64> {
        self.points.iter().map(|point| median(&point.cpu)).collect()
    }
}

/// Measures calls at servers of several sizes.
pub async fn measure<T: AsRef<Server>>(subjects: &[T], rows: &[Row<T>], effort: Effort) -> Vec<Line> {
    let servers = subjects.iter().map(|subject| subject.as_ref().id());
    let _together = Together::new(servers.chain([std::process::id()]).collect());
    let mut lines: Vec<Line> = rows.iter().map(|row| Line::new(row.name, subjects.len())).collect();
    for round in 0..effort.rounds {
        for (row, line) in rows.iter().zip(&mut lines) {
            for (subject, point) in subjects.iter().zip(&mut line.points) {
                let (whole, cpu) = block(subject, row, effort, round * effort.calls).await;
                point.add(whole, cpu);
            }
        }
    }
    lines
}

/// The median time of a call of a block, and the processor time of each.
async fn block<T: AsRef<Server>>(subject: &T, row: &Row<T>, effort: Effort, first: u64) -> (f64, f64) {
    let server = subject.as_ref();
    let mut client = Client::new(server.address).await;
    client.ask(CLOCK.as_bytes()).await;
    let began = Instant::now();
    let (mut whole, mut cpu) = (Vec::new(), 0.0);
    let mut before = server.cpu();
    for turn in first..first + effort.calls {
        let request = match row.before {
            None => (row.request)(subject, turn, ""),
            Some(prepare) => {
                client.send(prepare(subject, turn).as_bytes()).await;
                let request = (row.request)(subject, turn, &String::from_utf8_lossy(client.answer()));
                before = server.cpu();
                request
            }
        };
        let started = Instant::now();
        let status = client.ask(request.as_bytes()).await;
        whole.push(started.elapsed().as_secs_f64() * 1e6);
        assert_eq!(status, row.status, "{}: {}", row.name, String::from_utf8_lossy(client.answer()));
        if row.before.is_some() {
            cpu += server.cpu().since(&before);
        }
        if began.elapsed() > effort.longest {
            break;
        }
    }
    if row.before.is_none() {
        cpu = server.cpu().since(&before);
    }
    (median(&whole), cpu / whole.len() as f64)
}

/// Processes that run on one processor, and wherever they did before once this is dropped.
///
/// A call takes three times as long, or not, as the system places client and server on two processors or on one; and a
/// server that is woken on another processor pays for that in time of its own.
struct Together {
    processes: Vec<u32>,
    before: String,
}

impl Together {
    fn new(processes: Vec<u32>) -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let before = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default().trim();
        let together = Together { processes, before: before.to_owned() };
        let first: String = together.before.chars().take_while(char::is_ascii_digit).collect();
        together.place(&first);
        together
    }

    /// Where there is no `taskset`, the system places them.
    fn place(&self, processors: &str) {
        for process in self.processes.iter().filter(|_| !processors.is_empty()) {
            let process = process.to_string();
            let _ = Command::new("taskset").args(["-a", "-c", "-p", processors, &process]).output();
        }
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        self.place(&self.before);
    }
}

/// A call that does nothing: the way there and back.
pub const CLOCK: &str = "GET /_standin/clock HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Reads the clock, the yardstick of all curves.
pub fn clock<T>() -> Row<T> {
    Row::new("read the clock (nothing else)", 200, |_, _, _| CLOCK.to_owned())
}

/// A request, with these headers.
pub fn request(line: &str, headers: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let length = body.len();
    format!("{line} HTTP/1.1\r\nHost: localhost\r\n{headers}{kind}Content-Length: {length}\r\n\r\n{body}")
}
