//! What becomes of attempts whose sandbox goes to another time, or away, while they are under way.

use super::*;
use crate::receiver::Say;

/// Has the only delivery be under way, and does something meanwhile. Gives its id.
#[track_caller]
fn meanwhile(post: &Post, receiver: &Receiver, act: impl FnOnce()) -> String {
    let heard = receiver.heard().len();
    post.write("Hello");
    receiver.heard_when(heard + 1);
    let id = post.ids("?state=sending").remove(0);
    act();
    receiver.release();
    id
}

fn orphans(post: &Post) -> Vec<Json> {
    eventually("a result that came too late", || {
        Some(post.records("?state=orphaned")).filter(|orphans| !orphans.is_empty())
    })
}

#[test]
fn a_result_from_before_a_reset_changes_nothing_and_is_listed() {
    let receiver = Receiver::new([Say::held(500)]);
    let post = Post::telling(&receiver);
    let id = meanwhile(&post, &receiver, || {
        post.server.control("POST", "/reset", None).expect(200);
    });
    let [orphan] = orphans(&post).try_into().unwrap();
    assert_eq!((&orphan["id"], &orphan["state"], &orphan["next"]), (&json!(id), &json!("orphaned"), &json!(null)));
    assert_eq!((results(&orphan), &orphan["attempts"][0]["status"]), (vec!["refused"], &json!(500)));
    let list = post.list("").expect(200).json();
    assert_eq!((&list["total"], &list["records"][0]), (&json!(1), &orphan));
    // It can be seen whole, and is no delivery of this time.
    assert_eq!(post.show(&id)["attempts"][0]["request"]["body"]["text"], receiver.heard()[0].text());
    post.redeliver(&id).problem(404, "delivery-unknown");
    assert_eq!(post.count(json!({})).expect(200).json()["count"], 0);
    assert_eq!(post.count(json!({ "state": "orphaned", "webhook": "written" })).expect(200).json()["count"], 1);
    let log = post.server.control("GET", "/log", None).expect(200).json();
    assert_eq!(log["total"], 0, "{log:#}");
    assert_eq!(post.advance("1 hour").expect(200).json()["done"], json!([]));
    // It stands behind what is new.
    post.hook("h1", &receiver.url("/hook"));
    post.write("Again");
    post.all_landed();
    let states: Vec<Json> = post.records("").iter().map(|record| record["state"].clone()).collect();
    assert_eq!(states, ["delivered", "orphaned"]);
    let piece = post.list("?limit=1").expect(200).json();
    assert_eq!(post.ids(&format!("?after={}", piece["next"])), [id]);
}

#[test]
fn a_rewind_to_before_it_takes_a_delivery_away_and_one_to_after_it_makes_the_attempt_again() {
    let receiver = Receiver::new([Say::held(200)]);
    let post = Post::telling(&receiver);
    let first = meanwhile(&post, &receiver, || {
        let entry = post.records("")[0]["cause"].clone();
        post.server.control("POST", "/rewind", Some(json!({ "to": entry }))).expect(200);
    });
    assert_eq!(orphans(&post)[0]["id"], json!(first));
    assert_eq!(post.count(json!({})).expect(200).json()["count"], 0);
    // The same steps give the same delivery: the id that came too late is that of a delivery again.
    post.write("Hello");
    assert_eq!(post.all_landed().len(), 2);
    let shown = post.show(&first);
    assert_eq!((&shown["state"], results(&shown)), (&json!("delivered"), vec!["taken"]));
    let [once, again] = receiver.heard().try_into().unwrap();
    assert_eq!((once.line, once.headers, once.body), (again.line, again.headers, again.body));

    // A restored snapshot, in which the attempt was under way, has it made again, too.
    receiver.then([Say::held(200)]);
    let post = Post::telling(&receiver);
    let id = meanwhile(&post, &receiver, || {
        post.server.control("POST", "/snapshots", Some(json!({ "name": "sent" }))).expect(201);
        post.server.control("POST", "/snapshots/sent/restore", None).expect(200);
        receiver.heard_when(4);
    });
    assert_eq!(orphans(&post)[0]["id"], json!(id));
    let shown = eventually("the second attempt", || Some(post.show(&id)).filter(|shown| shown["state"] == "delivered"));
    assert_eq!(results(&shown), ["taken"]);
    assert_eq!(post.count(json!({ "state": "delivered" })).expect(200).json()["count"], 1);
}

#[test]
fn who_waits_for_a_redelivery_is_told_that_it_is_gone() {
    let receiver = Receiver::new([Say::status(500), Say::held(200)]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    let id = text(&post.landed(), "id").to_owned();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| post.redeliver(&id));
        receiver.heard_when(2);
        post.server.control("POST", "/reset", None).expect(200);
        receiver.release();
        asked.join().unwrap().problem(410, "delivery-gone");
    });
    assert_eq!(results(&orphans(&post)[0]), ["taken"]);
}

#[test]
fn a_sandbox_can_be_deleted_while_deliveries_are_under_way() {
    let receiver = Receiver::new([]);
    let post = Post::telling(&receiver);
    post.server.control("POST", "/sandboxes", Some(json!({ "id": "alice", "from": "default" }))).expect(201);
    receiver.then([Say::status(500), Say::held(200), Say::held(500)]);
    post.write_in("/~alice", "Hello");
    let alice =
        |method: &str, path: &str| post.server.call(method, &format!("/~alice/_standin/webhooks{path}"), &[], "");
    let id = eventually("the delivery to wait", || {
        let list = alice("GET", "?state=waiting").expect(200).json();
        list["records"][0]["id"].as_str().map(str::to_owned)
    });
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| alice("POST", &format!("/{id}/redeliver")));
        receiver.heard_when(2);
        post.write_in("/~alice", "Hello again");
        receiver.heard_when(3);
        post.server.control("DELETE", "/sandboxes/alice", None).expect(204);
        alice("GET", "").problem(410, "sandbox-closed");
        alice("POST", &format!("/{id}/redeliver")).problem(410, "sandbox-closed");
        receiver.release();
        asked.join().unwrap().problem(410, "sandbox-closed");
        receiver.release();
    });
    // The server goes on, and the other sandbox knows nothing of it.
    assert_eq!(post.list("").expect(200).json()["total"], 0);
    post.write("Hello");
    assert_eq!(post.landed()["state"], "delivered");
    assert_eq!(post.server.stderr_when(|_| true), "");
}

/// As many attempts of one sandbox as are under way at once.
const AT_ONCE: usize = 32;

#[test]
fn what_waits_for_its_turn_is_not_sent_when_its_time_is_gone_and_others_do_not_wait() {
    let receiver = Receiver::new((0..AT_ONCE).map(|_| Say::held(200)));
    let other = Receiver::new([]);
    let post = Post::telling(&receiver);
    for number in 2..AT_ONCE + 8 {
        post.hook(&format!("h{number}"), &receiver.url("/hook"));
    }
    post.write("Hello");
    receiver.heard_when(AT_ONCE);
    // Another sandbox has its own turns.
    post.server.control("POST", "/sandboxes", Some(json!({ "id": "other" }))).expect(201);
    let body = json!({ "url": other.url("/hook") }).to_string();
    post.server.call("PATCH", "/~other/_standin/state/post/hook/h1", &[JSON], body).expect(200);
    post.write_in("/~other", "Hello");
    other.heard_when(1);

    post.server.control("POST", "/reset", None).expect(200);
    receiver.release();
    post.hook("h1", &receiver.url("/after"));
    post.write("After");
    let heard = receiver.heard_when(AT_ONCE + 1);
    assert_eq!(heard[AT_ONCE].line, "POST /after HTTP/1.1");
    eventually("the delivery to land", || (post.records("?state=delivered").len() == 1).then_some(()));
    assert_eq!(receiver.heard().len(), AT_ONCE + 1);
    eventually("the late results", || (post.records("?state=orphaned").len() == AT_ONCE).then_some(()));
}
