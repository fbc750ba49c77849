//! The stubs of a moment as JSON, and back.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::mapping::{Stub, said_id};
use super::read::{Mistake, Mistakes};
use super::stubs::Stubs;
use crate::exchange::child;

impl Stubs {
    /// The stubs in the order in which they were added, how often each answers yet, and the states of scenarios.
    pub(crate) fn dump(&self) -> Json {
        let mut stubs: Vec<_> = self.iter().collect();
        stubs.sort_by_key(|story| story.added);
        let stub = |story: &super::Story<'_>| json!({ "mapping": story.stub.source, "left": story.left });
        let states = self.scenarios().into_iter().map(|name| {
            let state = Json::from(self.state(&name));
            (name.to_string(), state)
        });
        let states: Map<String, Json> = states.collect();
        json!({ "added": self.added(), "stubs": stubs.iter().map(stub).collect::<Vec<_>>(), "states": states })
    }

    /// What was dumped so.
    pub(crate) fn undump(dumped: &Json) -> Result<Stubs, Mistakes> {
        let mut stubs = Stubs::default();
        for (index, held) in dumped["stubs"].as_array().into_iter().flatten().enumerate() {
            let at = format!("/stubs/stubs/{index}/mapping");
            let mistake =
                |cause: &str| vec![Mistake { pointer: at.clone(), cause: cause.to_owned(), remedy: String::new() }];
            let mapping = held["mapping"].as_object().ok_or_else(|| mistake("it is no mapping"))?;
            let id = said_id(mapping).map_err(|mistake| vec![mistake])?.ok_or_else(|| mistake("it has no id"))?;
            let stub = Stub::parse(mapping, &id).map_err(|mistakes| {
                let placed = |mistake: Mistake| Mistake { pointer: format!("{at}{}", mistake.pointer), ..mistake };
                mistakes.into_iter().map(placed).collect::<Vec<_>>()
            })?;
            stubs.put(Arc::new(stub)).map_err(|_| mistake("there is no room for it"))?;
            if let Some(left) = held["left"].as_u64() {
                stubs.use_up(&id, u32::try_from(left).unwrap_or(u32::MAX));
            }
        }
        for (name, state) in dumped["states"].as_object().into_iter().flatten() {
            let set = stubs.set_state(name, state.as_str());
            set.map_err(|_| {
                let cause = "no stub has such a scenario or state".to_owned();
                vec![Mistake { pointer: child("/stubs/states", name), cause, remedy: String::new() }]
            })?;
        }
        stubs.go_on(dumped["added"].as_u64().unwrap_or(0));
        Ok(stubs)
    }
}
