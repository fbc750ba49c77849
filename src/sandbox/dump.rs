//! A world as JSON, and back: its records as they are kept, in their order, and the counters that new ones go on from.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::world::World;
use crate::pack::{Pack, ResourceId};

impl World {
    /// `{resource: {next: [order, integer], records: [[order, {field: value}]]}}`
    pub(crate) fn dump(&self, pack: &Pack) -> Json {
        let resources = pack.resources.iter().enumerate().map(|(index, resource)| {
            let id = ResourceId(index);
            let sequences = self.sequences(id, None);
            let records = sequences.iter().filter_map(|sequence| {
                let values = resource.fields.iter().zip(self.at(id, *sequence)?.values.to_vec());
                let fields = values.filter_map(|(field, value)| Some((field.name.to_string(), value?)));
                Some(json!([sequence, Json::Object(fields.collect())]))
            });
            let records: Vec<Json> = records.collect();
            (resource.name.to_string(), json!({ "next": self.counters(id), "records": records }))
        });
        Json::Object(resources.collect())
    }

    /// The world that was dumped so. The error says in words what does not fit the pack.
    pub(crate) fn from_dump(pack: &Arc<Pack>, dump: &Json) -> Result<World, String> {
        let mut world = World::empty(pack);
        for (name, table) in dump.as_object().ok_or("the records are no object")? {
            let resource = pack
                .resource_named(name)
                .ok_or_else(|| format!("the pack `{}` has no resource `{name}`", pack.name))?;
            // Numbers that leave room for all that can come.
            let order = table["next"][0].as_i64().and_then(|next| u64::try_from(next).ok());
            let next = order.zip(table["next"][1].as_i64()).ok_or_else(|| format!("`{name}` has no `next`"))?;
            let mut rising = 0;
            for record in table["records"].as_array().ok_or_else(|| format!("`{name}` has no `records`"))? {
                let (sequence, fields) = (record[0].as_u64(), record[1].as_object());
                let (sequence, fields) =
                    sequence.zip(fields).ok_or_else(|| format!("a record of `{name}` is not `[order, fields]`"))?;
                if !(rising..next.0).contains(&sequence) {
                    return Err(format!("the orders of `{name}` do not rise to its `next`"));
                }
                rising = sequence + 1;
                let values = values(pack, resource, fields)?;
                world
                    .put_back(pack, resource, sequence, values)
                    .map_err(|conflict| format!("a record of `{name}` contradicts another: {conflict:?}"))?;
            }
            world.set_counters(resource, next);
        }
        Ok(world)
    }
}

fn values(pack: &Pack, resource: ResourceId, fields: &Map<String, Json>) -> Result<Vec<Option<Json>>, String> {
    let definition = pack.resource(resource);
    for (name, value) in fields {
        let field = definition.field(name).ok_or_else(|| format!("a `{}` has no field `{name}`", definition.name))?;
        field.1.check(value).map_err(|why| format!("a `{}`: {why}", definition.name))?;
    }
    let id = &definition.id_field().name;
    if !fields.contains_key(&**id) {
        return Err(format!("`{id}` of a `{}` is missing", definition.name));
    }
    Ok(definition.fields.iter().map(|field| fields.get(&*field.name).cloned()).collect())
}
