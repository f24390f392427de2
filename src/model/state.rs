//! The state before each instruction, and the configuration of the image at the end of a stage.

use serde::Serialize;

/// A value that may not be known before the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Known.
    Known(String),
    /// Depends on a build argument, a base image or something else that the file does not say.
    Unknown,
}

/// What is in force at one place of a stage.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The environment in order, the base image's included where the catalog knows it.
    pub env: Vec<(String, Value)>,
    /// The ARGs in scope, in order. ENV of the same name wins.
    pub args: Vec<(String, Option<Value>)>,
    /// The working directory, absolute; `None` where it is unknown.
    pub workdir: Option<String>,
    /// The USER in force as the file or the known base says; empty for root by default, `None` where it is unknown.
    pub user: Option<String>,
    /// The shell of shell forms.
    pub shell: Vec<String>,
    /// The configuration that the image would have if the stage ended here.
    pub config: ImageConfig,
}

/// The image configuration with the image specification's keys, as `docker inspect` shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct ImageConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
}
