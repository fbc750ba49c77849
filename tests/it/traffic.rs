//! Calls of every kind in an order that a number decides, so that a test can do the same again.

use serde_json::{Value as Json, json};

use crate::capillary::ADMIN;
use crate::hubster::PORTAL;
use crate::odd::calls;
use crate::server::{Answer, JSON, REPORTEI, Server};

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `most`.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % most
    }

    pub(crate) fn of<'l, T>(&mut self, all: &'l [T]) -> &'l T {
        &all[self.below(all.len())]
    }
}

/// One call, as it is sent.
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    fn new(
        method: &'static str,
        path: impl Into<String>,
        headers: &[(&'static str, &'static str)],
        body: Json,
    ) -> Self {
        let mut headers = headers.to_vec();
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        if !body.is_empty() {
            headers.push(JSON);
        }
        Sent { method, path: path.into(), headers, body }
    }

    /// Sends it to a sandbox of a server.
    pub(crate) fn to(&self, server: &Server, sandbox: &str) -> Answer {
        server.call(self.method, &format!("/~{sandbox}{}", self.path), &self.headers, &self.body)
    }
}

const CUSTOMERS: [&str; 2] = ["caedbbbe-7d93-476f-b965-bf97cd7ce874", "073c1e15-94d0-49b3-9861-a0e9b7ffb06c"];
const CUSTOMER: (&str, &str) = ("x-customer-token", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874");
const INTEGRATION: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";

/// A call of a pack: a good one of any operation that takes a body, a read, a removal, or one that is refused.
pub(crate) fn call(chance: &mut Chance) -> Sent {
    let customer = *chance.of(&CUSTOMERS);
    match chance.below(12) {
        0..5 => {
            let mut all = calls();
            let crate::odd::Call { method, path, headers, mut body } = all.swap_remove(chance.below(all.len()));
            // The second of the same name is refused; both kinds are wanted.
            if let Some(name) = body.get_mut("name") {
                *name = json!(format!("n{}", chance.below(1000)));
            }
            Sent::new(method, path, &headers, body)
        }
        5 => Sent::new("GET", "/reportei/customers?page=1", &[REPORTEI], Json::Null),
        6 => Sent::new("GET", format!("/reportei/customers/{customer}"), &[REPORTEI], Json::Null),
        7 => {
            Sent::new("GET", "/hubster/api/v1/integrations/00000000-0000-0000-0000-000000000102", &[PORTAL], Json::Null)
        }
        8 => Sent::new("GET", "/capillary/v3/integrations/clients", &[ADMIN], Json::Null),
        9 => Sent::new(
            "DELETE",
            format!("/reportei/customers/{}", chance.of(&["unknown", customer])),
            &[REPORTEI],
            Json::Null,
        ),
        10 => Sent::new("GET", "/reportei/customers/settings", &[REPORTEI, CUSTOMER], Json::Null),
        // The prefix is lost, no credential, no JSON, bytes that are no text.
        _ => match chance.below(4) {
            0 => Sent::new("GET", "/customers?a=b", &[REPORTEI], Json::Null),
            1 => Sent::new("GET", "/optimizeplayer/api/v1/integrations/1?api_key=nobody", &[], Json::Null),
            2 => {
                Sent { body: b"{".to_vec(), ..Sent::new("POST", "/reportei/customers", &[REPORTEI, JSON], Json::Null) }
            }
            _ => {
                Sent { body: vec![0xFF, 0], ..Sent::new("POST", "/reportei/customers", &[REPORTEI, JSON], Json::Null) }
            }
        },
    }
}

/// Something that the control plane does to a sandbox, good or refused.
pub(crate) fn control(chance: &mut Chance) -> Sent {
    let record = format!("/_standin/state/reportei/customer/{}", chance.of(&CUSTOMERS));
    let paying = json!({ "is_paying": chance.below(2) == 0, "name": format!("p{}", chance.below(9)) });
    let merchant = json!({ "name": "m", "access_token": format!("merchant-token-{}", chance.below(1000)) });
    // A reset leaves nothing of what was before, so it is rare.
    if chance.below(60) == 0 {
        return Sent::new("POST", "/_standin/reset", &[], Json::Null);
    }
    match chance.below(8) {
        0 => Sent::new("POST", "/_standin/clock/advance", &[], json!({ "by": format!("{}s", chance.below(90_000)) })),
        1 => Sent::new("PUT", "/_standin/clock", &[], json!({ "mode": chance.of(&["ticking", "frozen"]) })),
        2 => Sent::new(
            "PUT",
            "/_standin/clock",
            &[],
            json!({ "now": format!("2024-10-0{}T00:00:00Z", 1 + chance.below(9)) }),
        ),
        3 => Sent::new("PATCH", record, &[], paying),
        4 => Sent::new("DELETE", record, &[], Json::Null),
        5 => Sent::new("POST", "/_standin/state/reportei/merchant", &[], merchant),
        6 => Sent::new("PUT", "/_standin/state/hubster/hub/none", &[], json!({ "name": 7 })),
        _ => {
            let event = chance.of(&["revoke", "expire", "reconnect"]);
            Sent::new("POST", format!("/_standin/events/reportei/{event}"), &[], json!({ "uuid": INTEGRATION }))
        }
    }
}
