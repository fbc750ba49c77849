//! A client that follows a journal: server-sent events, read from a socket as they come.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::Value as Json;

use crate::server::{Server, request};

/// What stands at the beginning of every stream.
const GREETING: &str = "retry: 1000\n\n";

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: Option<u64>,
    pub kind: String,
    pub data: Json,
}

impl Event {
    /// What stands between two empty lines; nothing where it is no event but a comment.
    #[track_caller]
    pub fn parse(block: &str) -> Option<Event> {
        let mut event = Event { id: None, kind: String::new(), data: Json::Null };
        for line in block.lines() {
            match line.split_once(": ") {
                Some(("", _)) => return None,
                Some(("id", id)) => event.id = Some(id.parse().unwrap()),
                Some(("event", kind)) => event.kind = kind.to_owned(),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                _ => panic!("no line of an event: {line:?}"),
            }
        }
        Some(event)
    }
}

/// An open stream.
pub struct Reader {
    stream: BufReader<TcpStream>,
    /// What has come and was not given yet.
    text: String,
    /// The last number that came.
    pub last: u64,
}

impl Reader {
    /// Follows the journal of the default sandbox.
    #[track_caller]
    pub fn open(server: &Server, query: &str) -> Reader {
        Reader::at(server, &format!("/_standin/journal/stream{query}"), &[])
    }

    /// Follows with these headers, and goes on when the stream has begun.
    #[track_caller]
    pub fn at(server: &Server, path: &str, headers: &[(&str, &str)]) -> Reader {
        let mut stream = server.connect();
        stream.write_all(&request("localhost", "GET", path, headers, b"")).unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).unwrap() > 0, "the head breaks off: {head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("\r\ncontent-type: text/event-stream\r\n"), "{head}");
        let mut reader = Reader { stream, text: String::new(), last: 0 };
        while !reader.text.contains("\n\n") {
            assert!(reader.more(), "the stream ends before it has begun");
        }
        reader.text = reader.text.strip_prefix(GREETING).expect("the greeting").to_owned();
        reader
    }

    /// Reads one chunk. False for the last.
    #[track_caller]
    fn more(&mut self) -> bool {
        let mut size = String::new();
        self.stream.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap_or_else(|_| panic!("it breaks off: {size:?}"));
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).unwrap();
        assert_eq!(chunk.split_off(size), b"\r\n");
        self.text.push_str(&String::from_utf8(chunk).unwrap());
        size > 0
    }

    /// The next event, as soon as it has come; nothing at the end of the stream.
    #[track_caller]
    pub fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event = Event::parse(&self.text[..end]);
                self.text.drain(..end + 2);
                // Otherwise what should have come long ago could come with the next comment.
                let event = event.expect("an event, and not the comment that says that nothing happens");
                self.last = event.id.unwrap_or(self.last);
                return Some(event);
            } else if !self.more() {
                assert_eq!(self.text, "", "the stream ends within an event");
                return None;
            }
        }
    }

    /// The next event, which must be of this kind.
    #[track_caller]
    pub fn expect(&mut self, kind: &str) -> Event {
        let event = self.next().unwrap_or_else(|| panic!("the stream ends before {kind}"));
        assert_eq!(event.kind, kind, "{event:?}");
        event
    }

    /// Ends its own side.
    pub fn says_nothing_more(&self) {
        self.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    }

    /// The numbers of the next events.
    #[track_caller]
    pub fn ids(&mut self, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.next().and_then(|event| event.id).expect("an event with a number")).collect()
    }
}
