//! Servers as processes of their own, and what the system knows of them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The server that is measured: the one that was built with this program, or the one of the environment.
pub fn standin() -> PathBuf {
    std::env::var_os("STANDIN_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_standin").into(), PathBuf::from)
}

/// `standin serve` with these arguments, on a free port.
pub fn serve(arguments: &[&str]) -> Command {
    let mut command = Command::new(standin());
    command.arg("serve").args(arguments).args(["--port", "0", "--log", "off"]);
    command
}

/// A server process that ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts it, and reads its address from the first line that it prints.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        let mut reader = BufReader::new(stdout);
        reader.read_line(&mut line).expect("its first line");
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        let address = line.trim().rsplit("http://").next().expect("a URL").parse().expect("an address");
        Server { child, address }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time so far.
    pub fn cpu(&self) -> Cpu {
        cpu(self.child.id())
    }

    /// Memory that it has in use, in kibibytes.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that it ever had in use, in kibibytes.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
    }
}

/// Processor time of the threads of a server, in nanoseconds. What one took that ended is lost; they hardly ever end.
pub struct Cpu {
    threads: HashMap<OsString, u64>,
}

/// The processor time of a process so far.
pub fn cpu(id: u32) -> Cpu {
    let mut threads = HashMap::new();
    for entry in fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
        let schedstat = fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default();
        if let Some(spent) = schedstat.split(' ').next().and_then(|spent| spent.parse().ok()) {
            threads.insert(entry.file_name(), spent);
        }
    }
    if threads.values().all(|spent| *spent == 0) {
        threads = [("all".into(), ticks(id))].into();
    }
    Cpu { threads }
}

/// Processor time where the kernel keeps no finer count, which comes in steps of ten milliseconds.
fn ticks(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks: u64 = [11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<u64>().ok()).sum();
    ticks * 10_000_000
}

impl Cpu {
    /// Microseconds in all.
    pub fn all(&self) -> f64 {
        self.threads.values().sum::<u64>() as f64 / 1e3
    }

    /// Microseconds since an earlier reading.
    pub fn since(&self, earlier: &Cpu) -> f64 {
        let spent = |(thread, spent): (&OsString, &u64)| {
            spent.saturating_sub(earlier.threads.get(thread).copied().unwrap_or(0))
        };
        self.threads.iter().map(spent).sum::<u64>() as f64 / 1e3
    }
}
