use std::collections::HashMap;

pub struct Settings(HashMap<String, String>);

impl Settings {
    pub fn parse(text: &str) -> Self {
        Settings(
            text.lines()
                .filter_map(|l| l.split_once('='))
                .map(|(k, v)| (k.trim().to_string(), v.trim().to_string()))
                .collect(),
        )
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}
