//! JSON files as tables: a list of objects, objects line by line, an object around a list, an object of numbers.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use serde_json::{Map, Value};

use super::{
    ForeignError,
    rows::{Table, TextRow},
};

/// Name of the first column of an object of numbers.
const KEY: &str = "key";
/// Name of its second.
const VALUE: &str = "value";

pub(super) fn json_rows(file: &str, text: &[u8]) -> Result<Table, ForeignError> {
    let mut builder = Builder::default();
    match serde_json::from_slice::<Value>(text) {
        Ok(Value::Array(list)) => builder.list(list, 1),
        Ok(Value::Object(object)) => builder.object(object),
        Ok(_) => return Err(no_rows(file, "neither a list nor an object")),
        // Not one text: a text a line.
        Err(whole) => {
            let lines = text.split(|&byte| byte == b'\n');
            for (number, line) in (1_u64..).zip(lines).filter(|(_, line)| !line.trim_ascii().is_empty()) {
                match serde_json::from_slice::<Value>(line) {
                    Ok(Value::Object(object)) => builder.add(number, &object),
                    Ok(_) => builder.bad(number, "not a JSON object".to_owned()),
                    Err(error) => builder.bad(number, format!("not JSON: {error}")),
                }
            }
            if builder.table.header.is_empty() {
                return Err(no_rows(file, &format!("not JSON: {whole}")));
            }
        }
    }
    Ok(builder.finish())
}

fn no_rows(file: &str, cause: &str) -> ForeignError {
    ForeignError::NoRows { file: file.to_owned(), cause: cause.to_owned() }
}

#[derive(Default)]
struct Builder {
    table: Table,
    places: HashMap<String, usize, FxBuildHasher>,
}

impl Builder {
    fn list(&mut self, list: Vec<Value>, first: u64) {
        for (number, item) in (first..).zip(list) {
            match item {
                Value::Object(object) => self.add(number, &object),
                _ => self.bad(number, "not a JSON object".to_owned()),
            }
        }
    }

    fn object(&mut self, mut object: Map<String, Value>) {
        let lists = object.values().filter(|value| value.is_array()).count();
        if lists == 1
            && let Some(list) = object.values_mut().find(|value| value.is_array())
            && let Value::Array(list) = list.take()
        {
            return self.list(list, 1);
        }
        if object.values().all(Value::is_number) && object.len() != 1 {
            for (number, (key, value)) in (1..).zip(object) {
                let mut row = Map::new();
                row.insert(KEY.to_owned(), Value::String(key));
                row.insert(VALUE.to_owned(), value);
                self.add(number, &row);
            }
            return;
        }
        self.add(1, &object);
    }

    fn add(&mut self, line: u64, object: &Map<String, Value>) {
        let mut cells = vec![None; self.table.header.len()];
        for (name, value) in object {
            let text = match value {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            let place = *self.places.entry(name.clone()).or_insert_with(|| {
                self.table.header.push(name.clone());
                self.table.header.len() - 1
            });
            if cells.len() <= place {
                cells.resize(place + 1, None);
            }
            if let Some(cell) = cells.get_mut(place) {
                *cell = text;
            }
        }
        self.table.rows.push(TextRow { line, cells: Ok(cells) });
    }

    fn bad(&mut self, line: u64, reason: String) {
        self.table.rows.push(TextRow { line, cells: Err(reason) });
    }

    fn finish(mut self) -> Table {
        self.table.width = self.table.header.len();
        self.table
    }
}
