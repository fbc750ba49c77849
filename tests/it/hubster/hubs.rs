//! Hubs: section 3.8 of the facts, and paging, section 3.7.

use super::*;

fn made(server: &Server, name: &str) -> Json {
    call(server, "POST", "/api/v1/hubs", Some(json!({ "name": name, "description": "d" }))).expect(200).json()
}

#[test]
fn s3_8_a_hub_is_created_read_updated_and_deleted() {
    let server = start();
    let body =
        json!({ "name": "Support", "description": "All of it", "closeDormantConversation": 30, "statusId": 2002 });
    let hub = call(&server, "POST", "/api/v1/hubs", Some(body)).expect(200).json();
    assert_eq!(keys(&hub), ["hubId", "tenantId", "name", "description", "closeDormantConversation", "statusId"]);
    let path = format!("/api/v1/hubs/{}", text(&hub, "hubId"));
    assert_eq!(call(&server, "GET", &path, None).expect(200).json(), hub);
    let update = json!({ "description": "Less", "statusId": 2000 });
    let updated = call(&server, "PUT", &path, Some(update)).expect(200).json();
    let mut expected = hub;
    expected["description"] = json!("Less");
    expected["statusId"] = json!(2000);
    assert_eq!(updated, expected);
    assert_eq!(call(&server, "GET", &path, None).expect(200).json(), expected);
    call(&server, "DELETE", &path, None).expect(200);
    refused(&call(&server, "GET", &path, None), 400, &[699]);
}

#[test]
fn s3_8_a_hub_is_active_and_stays_open_unless_said() {
    let server = start();
    let hub = made(&server, "Support");
    assert_eq!(hub["statusId"], 2000);
    assert!(hub.get("closeDormantConversation").is_none(), "{hub}");
}

/// JSON knows one kind of number.
#[test]
fn s3_8_a_whole_number_may_be_written_with_a_fraction() {
    let server = start();
    let text = r#"{ "name": "Support", "description": "d", "closeDormantConversation": 30.0, "statusId": 2.002e3 }"#;
    let hub = server.call("POST", "/api/v1/hubs", &[PORTAL, JSON], text).expect(200);
    assert!(hub.text().ends_with(r#""closeDormantConversation":30,"statusId":2002}"#), "{hub}");
}

#[test]
fn s3_8_names_of_hubs_are_unique_within_a_tenant() {
    let server = start();
    let hub = made(&server, "Support");
    let again = json!({ "name": "Support", "description": "d" });
    refused(&call(&server, "POST", "/api/v1/hubs", Some(again.clone())), 400, &[600]);
    let rename = call(&server, "PUT", &format!("/api/v1/hubs/{DEV}"), Some(json!({ "name": "Support" })));
    refused(&rename, 400, &[600]);
    server.api_as(ACME, "POST", "/api/v1/hubs", Some(again)).expect(200);
    let own = format!("/api/v1/hubs/{}", text(&hub, "hubId"));
    call(&server, "PUT", &own, Some(json!({ "name": "Support" }))).expect(200);
}

#[test]
fn s3_8_bad_hubs_are_refused() {
    let server = start();
    let watch = server.watch_pack("hubster");
    let post = |body: Json| call(&server, "POST", "/api/v1/hubs", Some(body));
    refused(&post(json!({})), 400, &[301, 301]);
    refused(&post(json!([])), 400, &[300]);
    refused(&post(json!({ "name": "a", "description": "" })), 400, &[301]);
    refused(&post(json!({ "name": 1, "description": "d" })), 400, &[302]);
    refused(&post(json!({ "name": "a", "description": "d", "statusId": 3000 })), 400, &[206]);
    refused(&post(json!({ "name": "a", "description": "d", "statusId": "2000" })), 400, &[302]);
    refused(&post(json!({ "name": "a", "description": "d", "closeDormantConversation": -1 })), 400, &[209]);
    refused(&post(json!({ "name": "a", "description": "d", "closeDormantConversation": 1.5 })), 400, &[302]);
    refused(&post(json!({ "name": "a", "description": "d", "closeDormantConversation": 1e30 })), 400, &[207]);
    refused(&post(json!({ "name": "a", "description": "d", "hubId": DEV })), 400, &[303]);
    let put = |body: Json| call(&server, "PUT", &format!("/api/v1/hubs/{DEV}"), Some(body));
    refused(&put(json!({ "name": " " })), 400, &[301]);
    refused(&put(json!({ "tenantId": DEV })), 400, &[303]);
    for method in ["GET", "DELETE"] {
        refused(&call(&server, method, "/api/v1/hubs/mine", None), 400, &[203]);
    }
    watch.unharmed();
}

#[test]
fn s3_7_pages_begin_at_zero_and_hold_50() {
    let server = start();
    for nth in 0..58 {
        made(&server, &format!("Hub {nth}"));
    }
    let page = |query: &str| call(&server, "GET", &format!("/api/v1/hubs{query}"), None).expect(200).json();
    let first = page("");
    assert_eq!((&first["pageNumber"], &first["pageSize"], &first["total"]), (&json!(0), &json!(50), &json!(60)));
    assert_eq!(first["results"].as_array().unwrap().len(), 50);
    let second = page("?pageNumber=1");
    assert_eq!(second["results"].as_array().unwrap().len(), 10);
    assert_eq!(second["results"][9]["name"], "Hub 57");
    let beyond = page("?pageNumber=2");
    assert_eq!((&beyond["results"], &beyond["total"]), (&json!([]), &json!(60)));
    assert_eq!(page("?pageSize=100")["results"].as_array().unwrap().len(), 60);
    assert_eq!(page("?pageSize=1&pageNumber=59")["results"][0]["name"], "Hub 57");
}

#[test]
fn s3_7_bad_pages_are_refused() {
    let server = start();
    for path in ["/api/v1/hubs", "/api/v1/integrations"] {
        let page = |query: &str| call(&server, "GET", &format!("{path}{query}"), None);
        refused(&page("?pageNumber=-1"), 400, &[209]);
        refused(&page("?pageSize=0"), 400, &[208]);
        refused(&page("?pageSize=-7"), 400, &[208]);
        refused(&page("?pageSize=101"), 400, &[207]);
        refused(&page("?pageNumber=one"), 400, &[210]);
        refused(&page("?pageNumber=1.5"), 400, &[210]);
        refused(&page("?pageNumber=-1&pageSize=x"), 400, &[209, 210]);
        page("?somethingElse=1").expect(200);
    }
}
