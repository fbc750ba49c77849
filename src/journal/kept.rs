//! An exchange as the log keeps it: one piece of memory for all that is not read before somebody asks.
//!
//! A log keeps ten thousand exchanges while new ones come in, and a request, an answer and a trace are many pieces of
//! memory. Each of them would have to be fetched from far away when it is made, and again when it makes room.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};

use super::entry::{size_of_ids, size_of_notes};
use super::packed::{Packer, Unpacker};
use super::{Exchanged, Face, Note, Trace, is_unmatched};
use crate::exchange::{Body, Delivery, Headers, Request, Response};

/// Bodies that are larger are not copied: the log shares them.
const COPIED: usize = 2048;

/// An exchange, packed. [`Kept::exchanged`] is what it was.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) pack: Option<Arc<Face>>,
    pub(crate) contract: Option<&'static str>,
    pub(crate) method: Method,
    pub(crate) status: StatusCode,
    pub(crate) changes: Vec<Note>,
    /// The id of the operation.
    pub(crate) operation: Option<Arc<str>>,
    pub(crate) stub: Option<Arc<str>>,
    /// Whether nothing was found to answer it.
    pub(crate) unmatched: bool,
    /// How many steps of the trace say that the pack or the server is at fault.
    pub(crate) findings: u32,
    version: Version,
    bare: bool,
    took: u64,
    deliveries: Vec<Arc<str>>,
    delivery: Option<Box<Delivery>>,
    /// The bodies of request and answer that are not in `packed`.
    shared: Option<Box<[Bytes; 2]>>,
    /// Pieces with their lengths before them: path, base, query; headers and body of the request; those of
    /// the answer; the trace.
    packed: Box<[u8]>,
}

impl Kept {
    pub(crate) fn of(exchanged: &Exchanged) -> Self {
        let Exchanged { request, response, trace, .. } = exchanged;
        let mut to = Packer(Vec::with_capacity(room(exchanged)));
        to.text(&request.path);
        to.text(&request.base);
        to.optional(request.query.as_deref());
        to.headers(request.headers.len(), request.headers.iter());
        let sent = match &request.body {
            Body::Whole(body) => {
                to.byte(0);
                body_of(&mut to, body)
            }
            Body::TooLarge { limit } => {
                to.byte(1);
                to.long(*limit as u64);
                None
            }
        };
        to.headers(response.headers.len(), response.headers.iter());
        let given = body_of(&mut to, &response.body);
        to.piece(trace.packed());
        let shared = (sent.is_some() || given.is_some())
            .then(|| Box::new([sent.cloned().unwrap_or_default(), given.cloned().unwrap_or_default()]));
        Kept {
            pack: exchanged.pack.clone(),
            contract: exchanged.contract,
            method: request.method.clone(),
            status: response.status,
            changes: exchanged.changes.clone(),
            operation: exchanged.operation.clone(),
            stub: exchanged.stub.clone(),
            unmatched: is_unmatched(exchanged),
            findings: trace.findings(),
            version: request.version,
            bare: request.bare,
            took: exchanged.took,
            deliveries: exchanged.deliveries.clone(),
            delivery: exchanged.delivery.clone(),
            shared,
            packed: to.0.into_boxed_slice(),
        }
    }

    /// What it was.
    pub(crate) fn exchanged(&self) -> Exchanged {
        let mut from = Unpacker(&self.packed);
        let request = self.request_from(&mut from);
        let mut headers = Headers::default();
        from.headers(|name, value| headers.append(name, value));
        let response = Response { status: self.status, headers, body: from.body(|| self.shared_body(1)) };
        Exchanged {
            pack: self.pack.clone(),
            operation: self.operation.clone(),
            contract: self.contract,
            request: Arc::new(request),
            response,
            trace: Trace::of(from.piece().unwrap_or_default()),
            changes: self.changes.clone(),
            deliveries: self.deliveries.clone(),
            stub: self.stub.clone(),
            delivery: self.delivery.clone(),
            took: self.took,
        }
    }

    /// What was asked, for who need not know the rest.
    pub(crate) fn request(&self) -> Request {
        self.request_from(&mut Unpacker(&self.packed))
    }

    fn request_from(&self, from: &mut Unpacker<'_>) -> Request {
        let path = from.text().to_owned();
        let base = from.text().to_owned();
        let query = from.optional().map(str::to_owned);
        let mut headers = HeaderMap::new();
        from.headers(|name, value| {
            headers.append(name, value);
        });
        let body = match from.byte() {
            0 => Body::Whole(from.body(|| self.shared_body(0))),
            _ => Body::TooLarge { limit: usize::try_from(from.long()).unwrap_or(usize::MAX) },
        };
        Request {
            method: self.method.clone(),
            base,
            path,
            bare: self.bare,
            query,
            version: self.version,
            headers,
            body,
        }
    }

    fn shared_body(&self, which: usize) -> Bytes {
        self.shared.as_ref().map_or_else(Bytes::new, |bodies| bodies[which].clone())
    }

    /// The name of the pack.
    pub(crate) fn pack_name(&self) -> Option<&str> {
        self.pack.as_ref().map(|face| &*face.name)
    }

    /// The path of the request.
    pub(crate) fn path(&self) -> &str {
        Unpacker(&self.packed).text()
    }

    /// The body of the request; empty where it was too large.
    pub(super) fn sent_body(&self) -> &[u8] {
        let mut from = Unpacker(&self.packed);
        // Path, base and query.
        from.skip(3);
        from.values(&|_| false);
        self.sent(&mut from)
    }

    fn sent<'k>(&'k self, from: &mut Unpacker<'k>) -> &'k [u8] {
        match from.byte() {
            0 => from.piece().unwrap_or_else(|| self.shared(0)),
            _ => {
                from.long();
                &[]
            }
        }
    }

    fn shared(&self, which: usize) -> &[u8] {
        self.shared.as_ref().map_or(&[], |bodies| &bodies[which])
    }

    /// Whether something holds for the value of a header, for a body that is text, or for the words of a step.
    pub(super) fn any_text(&self, holds: &dyn Fn(&[u8]) -> bool) -> bool {
        let mut from = Unpacker(&self.packed);
        from.skip(3);
        let in_sent_headers = from.values(holds);
        let sent = self.sent(&mut from);
        let in_given_headers = from.values(holds);
        let given = from.piece().unwrap_or_else(|| self.shared(1));
        let trace = from.piece().unwrap_or_default();
        // A body that is no text is looked at only where its bytes would fit.
        let in_body = |body: &[u8]| holds(body) && std::str::from_utf8(body).is_ok();
        in_sent_headers
            || in_given_headers
            || Trace::read(trace).any(|step| holds(step.detail.as_bytes()))
            || in_body(sent)
            || in_body(given)
    }

    /// Path and query, as a journal shows them.
    pub(super) fn target(&self) -> (&str, Option<&str>) {
        let mut from = Unpacker(&self.packed);
        let path = from.text();
        from.skip(1);
        (path, from.optional())
    }

    /// How many bytes keeping this costs, besides itself.
    pub(crate) fn size(&self) -> usize {
        let bodies = self.shared.iter().flat_map(|bodies| bodies.iter()).map(|body| size_of::<Bytes>() + body.len());
        let delivery = self.delivery.as_ref().map_or(0, |_| size_of::<Delivery>());
        self.packed.len()
            + size_of_notes(&self.changes)
            + size_of_ids(&self.deliveries)
            + bodies.sum::<usize>()
            + delivery
    }
}

/// About how many bytes it will take.
fn room(exchanged: &Exchanged) -> usize {
    let Exchanged { request, response, trace, .. } = exchanged;
    let lines = request.headers.len() + response.headers.len();
    let copied = |body: &[u8]| if body.len() > COPIED { body.len() } else { 0 };
    request.size() - copied(request.body.bytes()) + response.size() - copied(&response.body)
        + request.base.len()
        + lines * 8
        + trace.packed().len()
        + 64
}

/// Packs a body, or gives one that is not copied.
fn body_of<'b>(to: &mut Packer, body: &'b Bytes) -> Option<&'b Bytes> {
    if body.len() > COPIED {
        to.none();
        return Some(body);
    }
    to.piece(body);
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderValue, header};

    use super::*;
    use crate::diagnostic::{FileId, Location};
    use crate::journal::{Stage, Verdict};

    fn exchanged(body: Body, answer: Bytes) -> Exchanged {
        let mut headers = HeaderMap::new();
        headers.append("x-many", HeaderValue::from_static("one"));
        headers.append(header::ACCEPT, HeaderValue::from_bytes(b"\xe9, \xff").unwrap());
        headers.append("x-many", HeaderValue::from_static(""));
        let request = Request {
            method: Method::from_bytes(b"PURGE").unwrap(),
            base: "http://localhost/~a/shop".to_owned(),
            path: "/caf%C3%A9".to_owned(),
            bare: true,
            query: Some(String::new()),
            version: Version::HTTP_2,
            headers,
            body,
        };
        let mut response = Response::new(StatusCode::IM_A_TEAPOT).with_body("application/json", answer);
        response.headers.append(header::SET_COOKIE, HeaderValue::from_static("a=1"));
        response.headers.append(header::SET_COOKIE, HeaderValue::from_static("b=2"));
        let mut trace = Trace::new();
        for (number, stage) in Stage::ALL.into_iter().enumerate() {
            let place = Location::new(FileId(7), number..1 << 20);
            let place = (number % 2 == 0).then_some(&place);
            trace.add(stage, Verdict::ALL[number % Verdict::ALL.len()], place, format!("step {number}: é"));
        }
        Exchanged {
            pack: Some(Arc::new(Face { name: "shop".into(), ..Face::default() })),
            operation: Some("orders/show".into()),
            contract: Some("documented"),
            request: Arc::new(request),
            response,
            trace,
            changes: vec![Note { verb: "create", resource: "orders".into(), id: "1".to_owned() }],
            deliveries: vec!["d1".into()],
            stub: Some("s".into()),
            delivery: Some(Box::new(Delivery { delay: Duration::from_millis(3), ..Delivery::default() })),
            took: u64::MAX,
        }
    }

    #[test]
    fn an_exchange_comes_out_as_it_went_in() {
        let sizes = [0, 1, COPIED, COPIED + 1, 100_000];
        let whole = sizes.map(|size| Body::Whole(Bytes::from(vec![b'a'; size])));
        for body in whole.into_iter().chain([Body::TooLarge { limit: usize::MAX }]) {
            for size in sizes {
                let exchanged = exchanged(body.clone(), Bytes::from(vec![0xff; size]));
                let kept = Kept::of(&exchanged);
                assert_eq!(format!("{:?}", kept.exchanged()), format!("{exchanged:?}"), "{size}");
                assert_eq!((kept.path(), kept.target()), ("/caf%C3%A9", ("/caf%C3%A9", Some(""))));
                assert_eq!(kept.sent_body(), body.bytes());
                assert_eq!((kept.findings, kept.unmatched), (4, false));
                assert!(kept.size() >= size + body.bytes().len());
            }
        }
        let bare = Exchanged {
            pack: None,
            operation: None,
            contract: None,
            request: Arc::new(Request {
                query: None,
                headers: HeaderMap::new(),
                ..(*exchanged(Body::Whole(Bytes::new()), Bytes::new()).request).clone()
            }),
            response: Response::new(StatusCode::OK),
            trace: Trace::new(),
            changes: vec![],
            deliveries: vec![],
            stub: None,
            delivery: None,
            took: 0,
        };
        let kept = Kept::of(&bare);
        assert_eq!(format!("{:?}", kept.exchanged()), format!("{bare:?}"));
        assert_eq!((kept.target(), kept.unmatched), (("/caf%C3%A9", None), true));
    }

    #[test]
    fn it_holds_nothing_of_what_a_small_exchange_was_read_into() {
        let buffer = Bytes::from(vec![b'b'; 64]);
        let exchanged = exchanged(Body::Whole(buffer.slice(..9)), buffer.slice(9..));
        let kept = Kept::of(&exchanged);
        drop(exchanged);
        assert!(buffer.is_unique());
        assert_eq!(kept.exchanged().request.body.bytes(), &buffer[..9]);
    }

    #[test]
    fn large_bodies_are_shared() {
        let large = Bytes::from(vec![b'b'; COPIED + 1]);
        let kept = Kept::of(&exchanged(Body::Whole(Bytes::new()), large.clone()));
        assert_eq!(kept.exchanged().response.body.as_ptr(), large.as_ptr());
        assert!(!large.is_unique());
    }
}
