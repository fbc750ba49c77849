//! What was counted of a pack goes on when it is another one.

use serde_json::{Value as Json, json};

use super::{Shop, look, standing};
use crate::server::Server;

fn items(server: &Server) -> Vec<(String, u64)> {
    let report = server.control("GET", "/coverage", None).expect(200).json();
    let shop = report["packs"].as_array().unwrap().iter().find(|pack| pack["pack"] == "shop").unwrap();
    let mut items = Vec::new();
    for operation in shop["operations"].as_array().unwrap() {
        let id = operation["operation"].as_str().unwrap();
        for (kind, list) in [("status", "statuses"), ("example", "examples"), ("error", "errors")] {
            for item in operation[list].as_array().unwrap() {
                items.push((format!("{id} {kind} {}", item[kind]), item["hits"].as_u64().unwrap()));
            }
        }
        items.push((id.to_owned(), operation["hits"].as_u64().unwrap()));
    }
    items
}

fn exercised(server: &Server) -> Vec<(String, u64)> {
    items(server).into_iter().filter(|(_, hits)| *hits > 0).collect()
}

#[test]
fn counts_go_on_by_name() {
    let shop = Shop::new();
    let server = shop.serve(&["--watch", "off"]);
    let header = [super::FIRST];
    server.call("GET", "/shop/items", &header, "").expect(200);
    server.call("GET", "/shop/items", &[], "").expect(401);
    server.call("GET", &format!("/shop/items/{}/label", super::LAMP), &header, "").expect(200);
    let before = exercised(&server);
    assert!(before.len() >= 6, "{before:?}");
    // An operation before all others gives everything another number; one that was exercised goes.
    let show = std::fs::read_to_string(shop.file("items/show.yaml")).unwrap();
    shop.write("aaa/show.yaml", &show.replace("/items/{", "/first/{").replacen("an item", "the first", 1));
    std::fs::copy(shop.file("items/show.200.json"), shop.file("aaa/show.200.json")).unwrap();
    std::fs::copy(shop.file("items/show.200.yaml"), shop.file("aaa/show.200.yaml")).unwrap();
    for file in ["label.yaml", "label.html", "label.200.yaml", "label.200.html"] {
        std::fs::remove_file(shop.file(&format!("items/{file}"))).unwrap();
    }
    assert_eq!(look(&server), json!(["shop"]));
    let now = standing(&server, "shop");
    assert_eq!(now["state"], "live", "{now:#}");
    let after = exercised(&server);
    let left: Vec<_> = before.iter().filter(|(name, _)| !name.contains("items/label")).cloned().collect();
    assert_eq!(after, left);
    let all = items(&server);
    assert!(all.iter().any(|(name, hits)| name == "shop/aaa/show" && *hits == 0), "{all:?}");
    server.call("GET", "/shop/items", &header, "").expect(200);
    let more = exercised(&server);
    let list = |found: &[(String, u64)]| found.iter().find(|(name, _)| name == "shop/items/list").unwrap().1;
    assert_eq!((list(&after), list(&more)), (2, 3));
    // The server counts the same.
    let of_server: Json = server.control("GET", "/coverage?of=server", None).expect(200).json();
    assert_eq!(of_server, server.control("GET", "/coverage", None).json());
}

#[test]
fn a_request_counts_when_its_answer_is_no_more() {
    let shop = Shop::new();
    let server = shop.serve(&["--watch", "off"]);
    server.call("GET", "/shop/items", &[], "").expect(401);
    let hits = |name: &str| exercised(&server).into_iter().find(|(known, _)| known == name).map(|(_, hits)| hits);
    assert_eq!(hits("shop/items/list error \"unauthenticated\""), Some(1));
    let manifest = std::fs::read_to_string(shop.file("pack.yaml")).unwrap();
    shop.write(
        "pack.yaml",
        &manifest.replace("  unauthenticated:", "  stranger:").replace(": unauthenticated", ": stranger"),
    );
    assert_eq!(look(&server), json!(["shop"]));
    assert_eq!(standing(&server, "shop")["state"], "live", "{:#}", standing(&server, "shop"));
    assert_eq!((hits("shop/items/list"), hits("shop/items/list error \"stranger\"")), (Some(1), None));
}
