//! Packs change all the time, and nobody notices but by what is answered.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

/// A connection that is used again and again.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn new(server: &Server) -> Client {
        Client { stream: BufReader::new(server.connect()) }
    }

    fn call(&mut self, method: &str, path: &str, body: &str) -> (u16, Json) {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer first-token\r\n");
        let more = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        self.stream.get_mut().write_all(format!("{head}{more}").as_bytes()).unwrap();
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            assert!(self.stream.read_line(&mut line).unwrap() > 0, "the connection ends");
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.trim_end().parse().unwrap();
            } else if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

const CLIENTS: usize = 4;
const CALLS: usize = 2_600;

/// The pack says in three places of one answer which edit it is of: in an expression, in a value of the shape, and in the
/// order of its keys. All three change together.
fn edit(shop: &Shop, number: usize) {
    let text = fs::read_to_string(repository("tests/cases/diagnostics/base/fixtures/shop/items/list.yaml")).unwrap();
    let list = repository("tests/cases/diagnostics/base/fixtures/shop/items/list.200.json");
    let shape = fs::read_to_string(list).unwrap();
    let total = "total: = page.total";
    let words = text.replace(total, &format!("total: = page.total * 0 + {number}"));
    let shape = if number.is_multiple_of(2) {
        shape.replace("\"EUR\"", &format!("\"{number}\""))
    } else {
        let items = shape.find("\"items\"").unwrap();
        let end = shape.find("\"currency\"").unwrap();
        format!(
            "{{\n  \"currency\": \"{number}\",\n  \"total\": 2,\n  {}\n}}\n",
            shape[items..end].trim_end().trim_end_matches(',')
        )
    };
    fs::write(shop.file("items/list.yaml"), words).unwrap();
    fs::write(shop.file("items/list.200.json"), shape).unwrap();
}

/// Ten thousand requests on several connections while the pack changes all the time. None fails, none is answered by two
/// packs, nothing that was written is lost.
#[test]
fn ten_thousand_requests_under_continuous_reloads() {
    let shop = Shop::new();
    edit(&shop, 1);
    let server = shop.serve(&["shop", "--watch", "off", "--max-journal-entries", "200"]);
    let (done, reloads, seen) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let made = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (server, seen) = (&server, &seen);
                scope.spawn(move || {
                    let mut connection = Client::new(server);
                    let mut made: Vec<(Json, Json)> = Vec::new();
                    let mut last = 0;
                    for call in 0..CALLS {
                        if call % 50 == 0 {
                            let name = format!("{client}-{call}");
                            let body = json!({ "name": name, "price": call }).to_string();
                            let (status, item) = connection.call("POST", "/shop/items", &body);
                            assert_eq!(
                                (status, &item["name"], &item["price"]),
                                (201, &json!(name), &json!(call)),
                                "{item}"
                            );
                            made.push((item["id"].clone(), item));
                        } else if call % 50 == 1 {
                            let (id, item) = made.last().unwrap();
                            let (status, shown) =
                                connection.call("GET", &format!("/shop/items/{}", id.as_str().unwrap()), "");
                            assert_eq!((status, &shown), (200, item));
                        } else {
                            let (status, list) = connection.call("GET", "/shop/items", "");
                            assert_eq!(status, 200, "{list}");
                            let number: usize = list["currency"].as_str().unwrap().parse().unwrap();
                            let first = crate::support::keys(&list)[0];
                            assert_eq!(
                                (&list["total"], first == "currency"),
                                (&json!(number), number % 2 == 1),
                                "{list}"
                            );
                            assert!(number >= last, "an earlier pack answers again: {number} after {last}");
                            seen.fetch_add(usize::from(number > last), Ordering::Relaxed);
                            last = number;
                        }
                    }
                    made
                })
            })
            .collect();
        scope.spawn(|| {
            for number in 2.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                edit(&shop, number);
                assert_eq!(look(&server), json!(["shop"]));
                reloads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let made: Vec<(Json, Json)> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        made
    });
    let (reloads, seen) = (reloads.into_inner(), seen.into_inner());
    assert!(reloads > 10 && seen > 10, "{reloads} reloads, {seen} seen");
    let path = "/state/shop/item?limit=1000";
    let kept = server.control("GET", path, None).expect(200).json();
    assert_eq!(kept["total"], 2 + made.len());
    for (id, item) in &made {
        let kept = kept["records"].as_array().unwrap().iter().find(|record| record["id"] == *id);
        assert_eq!(kept.map(|record| &record["price"]), Some(&item["price"]));
    }
    assert_eq!(server.control("GET", "/reload", None).json()["misfits"], json!([]));
}

/// With one thread to answer, whoever reads files lets others go on.
#[test]
fn a_call_that_looks_holds_nobody_up() {
    let shop = Shop::new();
    let server = shop.serve(&["--watch", "off", "--threads", "1"]);
    copy(&repository("fixtures"), &shop.root().join("fixtures"));
    copy(&repository("schemas"), &shop.root().join("schemas"));
    let packs = ["capillary", "hubster", "optimizeplayer", "reportei"];
    for pack in packs {
        replace(&shop.root().join(format!("fixtures/{pack}/pack.yaml")), "title: ", "title: The new ");
    }
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| look(&server));
        let mut meanwhile = 0;
        while !looking.is_finished() {
            get(&server, "/items").expect(200);
            meanwhile += 1;
        }
        assert!(meanwhile > 3, "{meanwhile} requests while files were read");
        assert_eq!(looking.join().unwrap(), json!(packs));
    });
}
