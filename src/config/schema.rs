//! The JSON schema of `restage.toml`, for editors.

use super::{Caches, OPTIONS};
use crate::catalog::{MANAGERS, RUNTIME_MANAGERS};
use crate::transforms;
use serde_json::{Map, Value, json};

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let mut names: Vec<&str> = transforms::all().iter().map(|t| t.id).collect();
    names.extend(["restructure", "hygiene", "modernize", "harden", "all"]);
    let select = json!({
        "type": "array",
        "items": { "type": "string", "examples": names },
        "description": "Transforms, groups or \"all\"; \"+NAME\" adds to the default groups",
    });
    let ignore =
        json!({ "type": "array", "items": { "type": "string", "examples": names }, "description": "Transforms or groups to leave out" });
    let cache = json!({
        "enum": Caches::ALL.map(Caches::name),
        "default": Caches::default().name(),
        "description": "What becomes of package managers' downloads: removed in their layer (the default), or kept in cache mounts",
    });
    let settings = json!({ "select": select, "ignore": ignore, "cache": cache, "transforms": transforms_schema() });
    let strings = json!({ "type": "array", "items": { "type": "string" } });
    let mut properties = settings.as_object().cloned().unwrap_or_default();
    properties
        .insert("extends".to_owned(), json!({ "type": "string", "description": "A file whose settings hold where these say nothing" }));
    properties.insert(
        "recipes".to_owned(),
        json!({ "type": "array", "items": { "type": "string" }, "description": "Files with transforms of your own" }),
    );
    properties.insert(
        "per-path".to_owned(),
        json!({
            "type": "object",
            "description": "Other settings for paths that match a pattern, relative to this file",
            "additionalProperties": { "type": "object", "properties": settings, "additionalProperties": false },
        }),
    );
    let packages =
        |managers: &[&str], one: &Value| json!({ "type": "object", "properties": of_all(managers, one), "additionalProperties": false });
    properties.insert(
        "catalog".to_owned(),
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "mirrors": strings,
                "images": { "type": "object", "additionalProperties": image() },
                "runtime-packages": packages(&RUNTIME_MANAGERS, &json!({ "type": "object", "additionalProperties": strings })),
                "build-only": packages(&MANAGERS, &strings),
            },
        }),
    );
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "restage.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// `[catalog.images."NAME"]`: the catalog's own keys.
fn image() -> Value {
    let text = json!({ "type": "string" });
    let mut properties = of_all(
        &[
            "language",
            "distribution",
            "package_manager",
            "variant",
            "slim",
            "static_runtime",
            "dynamic_runtime",
            "user",
            "workdir",
            "configuration",
        ],
        &text,
    );
    properties.extend(of_all(&["env", "cmd", "entrypoint", "tools", "content"], &json!({ "type": "array", "items": text })));
    properties.extend(of_all(&["users", "varies"], &json!({ "type": "array", "items": { "type": "object" } })));
    properties.extend(of_all(&["shell", "drops_root", "passes_on"], &json!({ "type": "boolean" })));
    for (name, about) in [
        ("like", "The public image that it is made of and whose tags it uses"),
        ("runtime", "The image to run on what was built here; {tag}, {version}, {major} and {release} are filled in"),
    ] {
        properties.insert(name.to_owned(), json!({ "type": "string", "description": about }));
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// One schema for each of these keys.
fn of_all(keys: &[&str], schema: &Value) -> Map<String, Value> {
    keys.iter().map(|key| ((*key).to_owned(), schema.clone())).collect()
}

/// `[transforms.ID]`.
fn transforms_schema() -> Value {
    let mut properties = Map::new();
    for t in transforms::all() {
        let options: Map<String, Value> = OPTIONS.iter().filter(|o| o.transform == t.id).map(|o| (o.name.to_owned(), o.schema())).collect();
        properties.insert(
            t.id.to_owned(),
            json!({ "type": "object", "description": t.summary, "properties": options, "additionalProperties": false }),
        );
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
