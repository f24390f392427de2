//! As much of JSON Schema as the schemas here are written in. A word that it does not know fails the test that uses it.

#![allow(dead_code)]

use serde_json::Value;
use std::path::Path;

/// Words that only describe. A `format` is a hint, as the specification has it.
const SILENT: [&str; 7] = ["$schema", "$id", "title", "description", "default", "format", "examples"];
const KNOWN: [&str; 16] = [
    "$ref",
    "type",
    "enum",
    "required",
    "properties",
    "additionalProperties",
    "definitions",
    "items",
    "minItems",
    "uniqueItems",
    "minimum",
    "maximum",
    "pattern",
    "anyOf",
    "oneOf",
    "const",
];

/// The schema at `path` in the repository.
pub fn read(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Where `value` breaks `schema`.
pub fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    check(schema, value, schema, "$", &mut out);
    out
}

fn check(schema: &Value, value: &Value, root: &Value, at: &str, out: &mut Vec<String>) {
    if let Value::Bool(allowed) = schema {
        if !allowed {
            out.push(format!("{at}: is not known"));
        }
        return;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return check(root.pointer(reference.trim_start_matches('#')).unwrap(), value, root, at, out);
    }
    for word in schema.as_object().unwrap().keys().map(String::as_str) {
        assert!(KNOWN.contains(&word) || SILENT.contains(&word), "the test knows no `{word}`");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().map(|n| n.as_str().unwrap()).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| is(name, value)) {
        out.push(format!("{at}: {value} is no {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) || schema.get("const").is_some_and(|c| c != value) {
        out.push(format!("{at}: {value} is none of those that are allowed"));
    }
    let fits = |inner: &Value| {
        let mut wrong = Vec::new();
        check(inner, value, root, at, &mut wrong);
        wrong.is_empty()
    };
    let fitting = |word: &str| schema[word].as_array().map(|all| all.iter().filter(|inner| fits(inner)).count());
    if fitting("anyOf") == Some(0) || fitting("oneOf").is_some_and(|n| n != 1) {
        out.push(format!("{at}: fits none of several shapes, or more than one"));
    }
    numbers_and_texts(schema, value, at, out);
    for name in schema["required"].as_array().into_iter().flatten().filter(|_| value.is_object()) {
        if value.get(name.as_str().unwrap()).is_none() {
            out.push(format!("{at}: no {name}"));
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{key}");
        match (schema["properties"].get(key), schema.get("additionalProperties")) {
            (Some(schema), _) | (None, Some(schema)) => check(schema, inner, root, &at, out),
            (None, None) => {}
        }
    }
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    if value.is_array() && schema["minItems"].as_u64().is_some_and(|least| (items.len() as u64) < least) {
        out.push(format!("{at}: too few"));
    }
    if schema["uniqueItems"] == true && items.iter().enumerate().any(|(i, item)| items[..i].contains(item)) {
        out.push(format!("{at}: the same twice"));
    }
    if let Some(schema) = schema.get("items") {
        for (i, inner) in items.iter().enumerate() {
            check(schema, inner, root, &format!("{at}[{i}]"), out);
        }
    }
}

fn numbers_and_texts(schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    if let Some(number) = value.as_f64()
        && (schema["minimum"].as_f64().is_some_and(|least| number < least) || schema["maximum"].as_f64().is_some_and(|most| number > most))
    {
        out.push(format!("{at}: {number} is out of range"));
    }
    if let (Some(text), Some(pattern)) = (value.as_str(), schema["pattern"].as_str())
        && !regex::Regex::new(pattern).unwrap().is_match(text)
    {
        out.push(format!("{at}: {text} does not fit {pattern}"));
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("type {name}"),
    }
}
