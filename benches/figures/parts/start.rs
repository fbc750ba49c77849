//! From the start of the process to its first answer, beside bare hyper's.
//!
//! The servers start in an empty folder, so that the packs are those in the binary, as where the program is installed. What
//! the time goes into is read from outside: until the first line, which is printed once the server listens, and
//! from there until the answer has come; and the processor time of the process at both.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::bare;
use crate::client::TOKEN;
use crate::load::Request;
use crate::options::Options;
use crate::process::{cpu, serve, standin};
use crate::section::{Section, Table};
use crate::stats::{least, median, most, spread};

const GOAL: f64 = 1.5;

/// What is started, and what is asked first.
struct Start {
    title: &'static str,
    /// Arguments of `standin serve`; none for the bare server.
    arguments: Option<&'static [&'static str]>,
    requests: Vec<Request>,
    goal: bool,
}

/// Milliseconds since the process was started, and its processor time so far.
#[derive(Default)]
struct Times {
    line: Vec<f64>,
    answer: Vec<f64>,
    line_cpu: Vec<f64>,
    answer_cpu: Vec<f64>,
}

fn starts() -> Vec<Start> {
    let get = |path: &str, header, value: &str| Request {
        method: "GET",
        path: path.to_owned(),
        headers: vec![(header, value.to_owned())],
        body: String::new(),
    };
    let basic = "Basic c3RvcmUuc2VydmVyOjhhMTZhNmI3MDUwNWViMWYxZmY3Y2RjMGNkNTU1OWE3";
    let reportei = || get("/reportei/customers", "Authorization", TOKEN);
    let each = vec![
        reportei(),
        get("/hubster/api/v1/hubs", "Authorization", "Bearer hubster-portal-token"),
        get("/capillary/v3/integrations/scopes", "Authorization", basic),
        get("/optimizeplayer/api/v1/integrations?api_key=test_key", "Accept", "application/json"),
    ];
    let one = get("/customers", "Authorization", TOKEN);
    vec![
        Start { title: "bare hyper", arguments: None, requests: vec![one.clone()], goal: false },
        Start { title: "standin, one pack", arguments: Some(&["reportei"]), requests: vec![one], goal: true },
        Start { title: "standin, four packs", arguments: Some(&[]), requests: vec![reportei()], goal: true },
        Start { title: "standin, four packs, an answer of each", arguments: Some(&[]), requests: each, goal: false },
    ]
}

pub fn run(options: &Options) -> Section {
    let rounds = options.number("--rounds", 30, 3);
    let about = format!(
        "From the start of the process to the end of the first answer, over a connection that is made once the server says \
         that it listens. The packs are those in the binary. {rounds} rounds, all in turn; medians (least to most), ratios \
         by round."
    );
    let mut section = Section::new("Start", &about);
    let folder = TempDir::new().expect("a folder");
    let answer = folder.path().join("answer");
    fs::write(&answer, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}").expect("the answer is written");
    let starts = starts();
    let mut all: Vec<Times> = starts.iter().map(|_| Times::default()).collect();
    let mut versions = Vec::new();
    // The first round brings the files into memory.
    for round in 0..=rounds {
        for (start, times) in starts.iter().zip(&mut all) {
            let command = match start.arguments {
                Some(arguments) => serve(arguments),
                None => bare::command(&answer),
            };
            once(command, folder.path(), start, (round > 0).then_some(times));
        }
        let started = Instant::now();
        Command::new(standin()).arg("--version").stdout(Stdio::null()).status().expect("it runs");
        if round > 0 {
            versions.push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    section.tables.push(whole(&starts, &all));
    section.tables.push(parts(&starts, &all, &versions));
    section
}

/// Starts a server once.
fn once(mut command: Command, folder: &Path, start: &Start, times: Option<&mut Times>) {
    let started = Instant::now();
    let now = || started.elapsed().as_secs_f64() * 1e3;
    let child = command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = Running(child.expect("the server starts"));
    let mut output = BufReader::new(child.0.stdout.take().expect("its output"));
    let mut line = String::new();
    output.read_line(&mut line).expect("its first line");
    let line_time = now();
    let line_cpu = cpu(child.0.id()).all() / 1e3;
    let address: SocketAddr = line.trim().rsplit("http://").next().expect("a URL").parse().expect("an address");
    let asked = Instant::now();
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    for request in &start.requests {
        answered(&mut stream, &request.wire());
    }
    // What it took to look at the processor time is nobody's.
    let answer_time = line_time + asked.elapsed().as_secs_f64() * 1e3;
    let answer_cpu = cpu(child.0.id()).all() / 1e3;
    if let Some(times) = times {
        times.line.push(line_time);
        times.answer.push(answer_time);
        times.line_cpu.push(line_cpu);
        times.answer_cpu.push(answer_cpu);
    }
}

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads one answer to its end; it must be a success.
fn answered(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).expect("sent");
    let mut answer = Vec::new();
    let mut piece = [0; 65536];
    loop {
        let read = stream.read(&mut piece).expect("an answer");
        assert!(read > 0, "the server hung up");
        answer.extend_from_slice(&piece[..read]);
        let Some(end) = memchr::memmem::find(&answer, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        assert!(head.starts_with("http/1.1 20"), "{}", String::from_utf8_lossy(&answer));
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
        if answer.len() >= end + 4 + length {
            return;
        }
    }
}

fn whole(starts: &[Start], all: &[Times]) -> Table {
    let mut table =
        Table::new("To the first answer", &["server", "#ms", "#times bare hyper", "#goal", "#processor ms"]);
    let bare = &all[0].answer;
    for (start, times) in starts.iter().zip(all) {
        let ratios: Vec<f64> = times.answer.iter().zip(bare).map(|(real, bare)| real / bare).collect();
        table.row(vec![
            start.title.to_owned(),
            ranged(&times.answer),
            spread(&ratios),
            if start.goal { format!("{GOAL:.1}") } else { String::new() },
            format!("{:.1}", median(&times.answer_cpu)),
        ]);
    }
    table
}

fn parts(starts: &[Start], all: &[Times], versions: &[f64]) -> Table {
    let columns = ["server", "#ms until it listens", "#processor ms", "#ms from there", "#processor ms from there"];
    let mut table = Table::new("What the time goes into", &columns);
    for (start, times) in starts.iter().zip(all) {
        let after = |whole: &[f64], part: &[f64]| -> Vec<f64> {
            whole.iter().zip(part).map(|(whole, part)| whole - part).collect()
        };
        table.row(vec![
            start.title.to_owned(),
            ranged(&times.line),
            format!("{:.1}", median(&times.line_cpu)),
            ranged(&after(&times.answer, &times.line)),
            format!("{:.1}", median(&after(&times.answer_cpu, &times.line_cpu))),
        ]);
    }
    table.remarks = format!(
        "`standin --version`, which only starts and ends, takes {} ms: that much is the system's, which brings the program \
         into memory.",
        ranged(versions)
    );
    table
}

fn ranged(times: &[f64]) -> String {
    format!("{:.1} ({:.1} to {:.1})", median(times), least(times), most(times))
}
