//! Settings: what `restage.toml` and the command line say.

use std::collections::BTreeMap;

/// The settings of the transforms, resolved for one file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `[transforms.ID]`: a table of options each.
    pub transforms: BTreeMap<String, toml::Table>,
}
