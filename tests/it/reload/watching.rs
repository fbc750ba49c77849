//! How changes are noticed, or asked for.

use super::*;

fn shrink(shop: &Shop) {
    shop.edit("items/list.yaml", "size: = 10", "size: = 1");
}

fn items(server: &Server) -> usize {
    get(server, "/items").expect(200).json()["items"].as_array().unwrap().len()
}

#[test]
fn files_are_read_again_and_again_where_no_events_come() {
    let shop = Shop::new();
    let server = shop.serve(&["shop", "--watch=poll"]);
    assert_eq!(server.control("GET", "/reload", None).json()["watch"], "poll");
    shrink(&shop);
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
    fs::rename(shop.file(""), shop.root().join("away")).unwrap();
    once_it_is(&server, "gone");
    fs::rename(shop.root().join("away"), shop.file("")).unwrap();
    once_it_is(&server, "live");
}

#[test]
fn nothing_is_noticed_unless_somebody_asks() {
    let shop = Shop::new();
    let server = shop.serve(&["shop", "--watch=off"]);
    shrink(&shop);
    assert_eq!(items(&server), 2);
    let before = standing(&server, "shop");
    let answer = server.control("POST", "/reload", None).expect(200).json();
    assert_eq!((&answer["changed"], &answer["watch"]), (&json!(["shop"]), &json!("off")));
    assert_ne!(answer["packs"][0]["digest"], before["digest"]);
    assert_eq!(answer["packs"][0]["files"], json!(["fixtures/shop/items/list.yaml"]));
    assert!(answer["at"].is_string() && answer["tookMillis"].is_number(), "{answer}");
    assert_eq!(items(&server), 1);
    // What is the same is not made anew: no entry, no change.
    let entries = || server.control("GET", "/log", None).json()["total"].clone();
    let entered = entries();
    fs::write(shop.file("items/list.yaml"), fs::read(shop.file("items/list.yaml")).unwrap()).unwrap();
    assert_eq!((look(&server), entries()), (json!([]), entered));
    server.control("POST", "/reload", Some(json!({ "pack": "shop" }))).problem(400, "body-member-unknown");
}

#[cfg(unix)]
#[test]
fn a_process_that_is_told_to_hang_up_looks() {
    let shop = Shop::new();
    let server = shop.serve_with("text", &["shop", "--watch=off"]);
    shrink(&shop);
    server.signal("HUP");
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
    let said = server.stderr_when(|text| text.contains("reload: "));
    assert!(said.contains("ms: fixtures/shop/items/list.yaml\n"), "{said}");
}

/// The pack stands elsewhere, and `fixtures` has a link to it.
#[cfg(unix)]
#[test]
fn a_pack_that_is_linked_to_is_followed() {
    let shop = Shop::new();
    let elsewhere = shop.root().join("elsewhere");
    fs::rename(shop.file(""), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, shop.root().join("fixtures/shop")).unwrap();
    let server = shop.serve(&["shop"]);
    replace(&elsewhere.join("items/list.yaml"), "size: = 10", "size: = 1");
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
}

/// A stream has as many events as there were changes, and each goes on from the one before.
#[test]
fn a_page_that_follows_the_journal_learns_of_reloads_clock_and_events() {
    let shop = Shop::new();
    let server = shop.serve(&["shop"]);
    let mut stream = crate::follow::Reader::open(&server, "");
    crate::server::advance(&server, "1d");
    stream.expect("clock");
    server.control("POST", "/events/shop/sell", Some(json!({ "id": LAMP }))).expect(200);
    stream.expect("event");
    shrink(&shop);
    let event = stream.expect("reload");
    let digest = standing(&server, "shop")["digest"].clone();
    assert_eq!((&event.data["digest"], &event.data["at"]), (&digest, &json!("2024-10-02T17:15:12Z")));
}
