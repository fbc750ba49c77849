//! A receiver of webhooks: keeps what it hears, and answers as it is told to.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;

use crate::server::eventually;

/// How long a held answer may be held before it counts as stuck. Nothing is measured with it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a receiver does with a call.
#[derive(Debug, Clone)]
pub enum Say {
    /// It answers with these bytes, and hangs up.
    Bytes(Vec<u8>),
    /// The same, once [`Receiver::release`] lets it.
    Held(Vec<u8>),
    /// It says nothing, and keeps the connection as long as it lives.
    Hang,
    /// It hangs up.
    Close,
}

impl Say {
    pub fn status(status: u16) -> Say {
        Say::answer(status, &[], "")
    }

    pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Say {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        Say::Bytes(format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes())
    }

    /// The status, once it is let.
    pub fn held(status: u16) -> Say {
        match Say::status(status) {
            Say::Bytes(bytes) => Say::Held(bytes),
            other => other,
        }
    }
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// `POST /hook HTTP/1.1`
    pub line: String,
    /// In order, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    fn read(stream: &TcpStream) -> Option<Heard> {
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut lines = lines.into_iter();
        let line = lines.next()?;
        let header = |line: String| {
            line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let mut heard = Heard { line, headers: lines.filter_map(header).collect(), body: Vec::new() };
        let length = heard.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        heard.body = vec![0; length];
        stream.read_exact(&mut heard.body).ok()?;
        Some(heard)
    }
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Vec<Heard>>,
    script: Mutex<VecDeque<Say>>,
    /// How many held answers may go out.
    free: Mutex<usize>,
    freed: Condvar,
    /// Connections that are kept.
    kept: Mutex<Vec<TcpStream>>,
    over: AtomicBool,
}

/// A receiver on a free port of this machine. Each call is answered by what is next of the script, and with 200 when
/// nothing is left.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    pub fn new(script: impl IntoIterator<Item = Say>) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { script: Mutex::new(script.into_iter().collect()), ..Shared::default() });
        let ours = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ours.over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&ours);
                thread::spawn(move || shared.answer(stream));
            }
        });
        Receiver { address, shared }
    }

    /// The URL of a path, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Adds to the script.
    pub fn then(&self, say: impl IntoIterator<Item = Say>) {
        self.shared.script.lock().unwrap().extend(say);
    }

    /// Lets one held answer out.
    pub fn release(&self) {
        *self.shared.free.lock().unwrap() += 1;
        self.shared.freed.notify_all();
    }

    /// What it has heard so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// The same, as soon as it has heard so many.
    pub fn heard_when(&self, count: usize) -> Vec<Heard> {
        eventually("calls of the receiver", || Some(self.heard()).filter(|heard| heard.len() >= count))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.shared.kept.lock().unwrap().clear();
        // The listener looks up when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) {
        let Some(heard) = Heard::read(&stream) else { return };
        let say = self.script.lock().unwrap().pop_front().unwrap_or_else(|| Say::status(200));
        self.heard.lock().unwrap().push(heard);
        let bytes = match say {
            Say::Bytes(bytes) => bytes,
            Say::Held(bytes) => {
                let free = self.free.lock().unwrap();
                let (mut free, late) = self.freed.wait_timeout_while(free, PATIENCE, |free| *free == 0).unwrap();
                if late.timed_out() {
                    return;
                }
                *free -= 1;
                bytes
            }
            Say::Hang => return self.kept.lock().unwrap().push(stream),
            Say::Close => return,
        };
        // Who has gone does not hear it.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(Shutdown::Write);
    }
}
