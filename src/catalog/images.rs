//! Base images: the tag taken apart, and the facts that fit it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::image::{ImageFacts, ImageUser, Reference, Varying};
use crate::model::walk::DEFAULT_PATH;

/// `catalog/images.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Images {
    distribution: BTreeMap<String, Distribution>,
    releases: BTreeMap<String, BTreeMap<String, String>>,
    variants: BTreeMap<String, String>,
    mirrors: Mirrors,
    tools: BTreeMap<String, Vec<String>>,
    image: Vec<Entry>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Distribution {
    package_manager: Option<String>,
    libc: Option<String>,
    shell: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mirrors {
    prefixes: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    names: Vec<String>,
    family: String,
    /// Where the facts come from. Read by people; the tests demand that it is there.
    #[allow(dead_code)]
    source: String,
    #[serde(default)]
    version_is_release: bool,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    language_version_after: Vec<String>,
    #[serde(default)]
    moving: Vec<String>,
    #[serde(default)]
    patch: Vec<String>,
    #[serde(default)]
    always: Vec<String>,
    #[serde(default)]
    releases: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    facts: Facts,
    #[serde(default)]
    when: Vec<When>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct When {
    tokens: Vec<String>,
    without: Vec<String>,
    from: Option<String>,
    before: Option<String>,
    /// The number at the head of the tag, where that is not the language's version.
    head_before: Option<String>,
    release_from: Option<String>,
    release_unknown: bool,
    version_unknown: bool,
    facts: Facts,
}

/// What is known of an image, in the catalog's own keys.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    language: Option<String>,
    distribution: Option<String>,
    package_manager: Option<String>,
    variant: Option<String>,
    slim: Option<String>,
    runtime: Option<String>,
    static_runtime: Option<String>,
    dynamic_runtime: Option<String>,
    users: Option<Vec<ImageUser>>,
    user: Option<String>,
    env: Option<Vec<String>>,
    workdir: Option<String>,
    cmd: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    shell: Option<bool>,
    tools: Option<Vec<String>>,
    drops_root: Option<bool>,
    passes_on: Option<bool>,
    varies: Option<Vec<Varying>>,
    content: Option<Vec<String>>,
    configuration: Option<String>,
}

impl Facts {
    /// Lets the facts that `other` states replace those that stand here.
    fn overlay(&mut self, other: &Self) {
        macro_rules! take {
            ($($field:ident),*) => { $(if other.$field.is_some() { self.$field.clone_from(&other.$field); })* };
        }
        take!(
            language,
            distribution,
            package_manager,
            variant,
            slim,
            runtime,
            static_runtime,
            dynamic_runtime,
            users,
            user,
            env,
            workdir,
            cmd,
            entrypoint,
            shell,
            tools,
            drops_root,
            passes_on,
            varies,
            content,
            configuration
        );
    }
}

/// What a tag says.
#[derive(Debug, Default)]
struct Tag {
    whole: String,
    version: Option<String>,
    /// The version that counts for the language, where it is not the image's own.
    language_version: Option<String>,
    /// The distribution's token as written.
    release_token: Option<String>,
    /// Its distribution and release.
    release: Option<(String, Option<String>)>,
    variant: Option<String>,
    tokens: Vec<String>,
    unknown: bool,
}

impl Images {
    /// Whether an image of this name is known.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Adds the user's own images and mirrors; they stand before what is known already.
    pub(super) fn add(&mut self, added: &super::Additions) {
        self.mirrors.prefixes.splice(0..0, added.mirrors.iter().cloned());
        for (name, own) in &added.images {
            let mut entry = own.like.as_deref().and_then(|like| self.entry(like)).map(|(entry, _)| entry.clone()).unwrap_or_default();
            if own.like.is_none() {
                entry.family.clone_from(name);
            }
            entry.names = vec![name.clone()];
            entry.when.push(When { facts: own.facts.clone(), ..When::default() });
            self.image.insert(0, entry);
        }
    }

    pub(super) fn facts(&self, reference: &Reference) -> Option<ImageFacts> {
        let name = reference.name();
        let (entry, prefix) = self.entry(&name)?;
        let tag = self.take_apart(entry, reference.tag.as_deref().unwrap_or("latest"));
        let version =
            tag.language_version.clone().or_else(|| entry.language_version_after.is_empty().then(|| tag.version.clone()).flatten());
        let release = self.release(entry, &tag);
        let mut facts = entry.facts.clone();
        for when in entry.when.iter().filter(|w| w.fits(&tag, version.as_deref(), release.certain.as_deref())) {
            facts.overlay(&when.facts);
        }
        Some(self.assemble(entry, facts, &tag, version, release, reference, prefix))
    }

    /// The entry for a name, and the prefix under which a mirror has it.
    fn entry<'n>(&self, name: &'n str) -> Option<(&Entry, &'n str)> {
        let find = |wanted: &str| {
            let exact = self.image.iter().find(|e| e.names.iter().any(|n| n == wanted));
            exact.or_else(|| {
                self.image.iter().find(|e| e.names.iter().any(|n| n.strip_suffix('*').is_some_and(|head| wanted.starts_with(head))))
            })
        };
        if let Some(entry) = find(name) {
            return Some((entry, ""));
        }
        let prefix = self.mirrors.prefixes.iter().find(|p| name.starts_with(p.as_str()))?;
        let (prefix, rest) = name.split_at_checked(prefix.len())?;
        find(rest).map(|entry| (entry, prefix))
    }

    fn take_apart(&self, entry: &Entry, text: &str) -> Tag {
        let mut tag = Tag { whole: text.to_owned(), ..Tag::default() };
        let mut parts = text.split('-').peekable();
        let Some(first) = parts.peek().copied() else { return tag };
        let digits = |s: &str| s.strip_prefix('v').unwrap_or(s).starts_with(|c: char| c.is_ascii_digit());
        let is_alias = entry.aliases.iter().any(|a| a == first);
        if first == "latest" {
            parts.next();
            if entry.aliases.iter().any(|a| a == "latest") {
                tag.tokens.push("latest".to_owned());
            }
        } else if is_alias || (digits(first) && (entry.version_is_release || self.release_of(entry, first).is_none())) {
            let mut version = first.to_owned();
            parts.next();
            while let Some(more) = parts.peek().copied().filter(|p| is_prerelease(p)) {
                version = format!("{version}-{more}");
                parts.next();
            }
            if is_alias && !entry.version_is_release && tag.whole == version {
                tag.tokens.push(version.clone());
            }
            tag.version = Some(version);
        }
        while let Some(part) = parts.next() {
            self.token(entry, part, &mut tag);
            let after = entry.language_version_after.iter().find_map(|head| part.strip_prefix(head.as_str()));
            match after {
                Some("") => {
                    if let Some(version) = parts.peek().copied().filter(|p| digits(p)) {
                        tag.language_version = Some(version.to_owned());
                        parts.next();
                    }
                }
                Some(version) if digits(version) => tag.language_version = Some(version.to_owned()),
                _ => {}
            }
        }
        tag
    }

    /// What one part of a tag behind the version says.
    fn token(&self, entry: &Entry, part: &str, tag: &mut Tag) {
        if part.is_empty() {
            tag.unknown = true;
        } else if let Some(version) = part.strip_prefix("alpine") {
            tag.release_token = Some(part.to_owned());
            tag.release = Some(("alpine".to_owned(), (!version.is_empty()).then(|| version.to_owned())));
            tag.variant = Some("alpine".to_owned());
            tag.tokens.push("alpine".to_owned());
        } else if let Some((distribution, release)) = self.release_of(entry, part) {
            tag.release_token = Some(part.to_owned());
            tag.release = Some((distribution, Some(release)));
            tag.tokens.push(part.to_owned());
        } else if let Some(variant) = self.variants.get(part) {
            tag.variant = Some(variant.clone());
            tag.tokens.push(part.to_owned());
        } else if tag.variant.as_deref() == Some("windows") || entry.words.iter().any(|w| w == part) {
            tag.tokens.push(part.to_owned());
        } else if let Some(head) = entry.language_version_after.iter().find(|h| part.starts_with(h.as_str())) {
            tag.tokens.push(head.clone());
        } else if part.len() == 8 && entry.version_is_release && part.bytes().all(|b| b.is_ascii_digit()) {
            // A snapshot's date, as in debian:bookworm-20240612: another variant has other dates.
            tag.tokens.push(part.to_owned());
        } else {
            tag.unknown = true;
        }
    }

    /// The distribution and release that a token names; numbers only where the entry's versions are releases.
    fn release_of(&self, entry: &Entry, token: &str) -> Option<(String, String)> {
        let named = token.starts_with(|c: char| c.is_ascii_alphabetic());
        let of = |d: &String| self.releases.get(d)?.get(token).map(|r| (d.clone(), r.clone()));
        if named {
            self.releases.keys().find_map(of)
        } else {
            entry.facts.distribution.as_ref().filter(|_| entry.version_is_release).and_then(of)
        }
    }

    fn release(&self, entry: &Entry, tag: &Tag) -> Release {
        let certain = |release: String| Release { certain: Some(release.clone()), candidates: vec![release], moving: false };
        let moving = |candidates: Vec<String>| Release { certain: None, candidates, moving: true };
        if let Some((distribution, release)) = &tag.release {
            return match release {
                Some(release) if distribution != "alpine" || release.contains('.') => certain(release.clone()),
                _ => moving(Vec::new()),
            };
        }
        if tag.unknown || tag.variant.as_deref().is_some_and(|v| v == "windows") {
            return Release::default();
        }
        let Some(version) = tag.version.as_deref() else { return moving(entry.moving.clone()) };
        if entry.version_is_release {
            return match self.release_of(entry, version).or_else(|| self.release_of(entry, version.split('.').next()?)) {
                Some((_, release)) => certain(release),
                None if version == "stable" || version == "latest" => moving(entry.moving.clone()),
                None if entry.aliases.iter().any(|a| a == version) => moving(Vec::new()),
                None if entry.facts.distribution.as_deref() == Some("alpine") => {
                    match version.splitn(3, '.').collect::<Vec<_>>().as_slice() {
                        [major, minor, ..] => certain(format!("{major}.{minor}")),
                        _ => moving(Vec::new()),
                    }
                }
                None => certain(version.to_owned()),
            };
        }
        let known = entry.releases.keys().find(|key| version == key.as_str());
        let head = entry.releases.keys().find(|key| version.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('.')));
        let always = entry.always.iter().any(|a| head.is_some_and(|h| h == a));
        let of = |key: &String| entry.releases.get(key).cloned().unwrap_or_default();
        let from = |candidates: Vec<String>| match candidates.as_slice() {
            [one] => certain(one.clone()),
            _ => Release { certain: None, candidates, moving: false },
        };
        match (known, head) {
            (Some(key), _) => from(of(key)),
            (None, Some(key)) if always => from(of(key)),
            // Built once, at any time up to the end of its version's life.
            (None, Some(key)) => {
                let last = of(key).pop();
                let upto = entry.patch.iter().position(|r| Some(r) == last.as_ref()).map_or(entry.patch.len(), |i| i + 1);
                from(entry.patch.iter().take(upto).cloned().collect())
            }
            (None, None) if depth(version) > entry.releases.keys().map(|k| depth(k)).max().unwrap_or(2) => from(entry.patch.clone()),
            (None, None) => moving(entry.moving.clone()),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn assemble(
        &self,
        entry: &Entry,
        facts: Facts,
        tag: &Tag,
        version: Option<String>,
        release: Release,
        reference: &Reference,
        prefix: &str,
    ) -> ImageFacts {
        let variant = match (&facts.variant, &tag.variant) {
            (_, Some(v)) if v == "windows" => v.clone(),
            (Some(v), _) | (None, Some(v)) => v.clone(),
            (None, None) => "full".to_owned(),
        };
        let distribution = match (&tag.release, variant.as_str()) {
            (_, "windows") => Some("windows".to_owned()),
            (Some((distribution, _)), _) => Some(distribution.clone()),
            (None, _) => facts.distribution.clone(),
        };
        let of_distribution = distribution.as_ref().and_then(|d| self.distribution.get(d)).cloned().unwrap_or_default();
        let fill = Filling {
            tag: &tag.whole,
            version: tag.version.as_deref().unwrap_or_default(),
            major: version.as_deref().map(leading_number).unwrap_or_default(),
            minor: version.as_deref().and_then(two_numbers).unwrap_or_default(),
            beside: reference.name().rsplit_once('/').map_or_else(String::new, |(beside, _)| beside.to_owned()),
            release: tag.release_token.as_deref().unwrap_or_default(),
            debian: match (&release.certain, release.moving) {
                (Some(one), _) => one,
                (None, true) => "stable",
                (None, false) => release.candidates.last().map_or("stable", String::as_str),
            },
            alpine: tag.release_token.as_deref().and_then(|t| t.strip_prefix("alpine")).filter(|v| !v.is_empty()).unwrap_or("3"),
            prefix,
        };
        let replaceable = !tag.unknown && variant != "windows" && variant != "other";
        let image = |template: &Option<String>| template.as_deref().filter(|t| !t.is_empty() && replaceable).and_then(|t| fill.image(t));
        let plain = tag.tokens.iter().all(|t| Some(t) == tag.release_token.as_ref() || Some(t) == tag.version.as_ref());
        let slim = image(&facts.slim).filter(|_| variant == "full" && plain && reference.digest.is_none());
        ImageFacts {
            family: entry.family.clone(),
            language: facts.language,
            version: version.clone(),
            package_manager: facts.package_manager.or(of_distribution.package_manager).filter(|p| !p.is_empty()),
            libc: of_distribution.libc,
            slim,
            runtime: image(&facts.runtime),
            static_runtime: image(&facts.static_runtime),
            dynamic_runtime: image(&facts.dynamic_runtime),
            users: facts.users.unwrap_or_default(),
            user: facts.user,
            varies: facts.varies.unwrap_or_default(),
            env: facts.env.unwrap_or_default().iter().map(|e| environment(e)).collect(),
            workdir: facts.workdir,
            cmd: facts.cmd.filter(|c| !c.is_empty()),
            entrypoint: facts.entrypoint.filter(|e| !e.is_empty()),
            shell: facts.shell.unwrap_or(of_distribution.shell),
            tools: if matches!(variant.as_str(), "full" | "runtime") || entry.family == "rust" || tag.unknown {
                self.expand(&facts.tools.unwrap_or_default())
            } else {
                Vec::new()
            },
            drops_root: facts.drops_root.unwrap_or(false),
            passes_on: facts.passes_on.unwrap_or(false),
            content: facts.content.unwrap_or_default(),
            configuration: facts.configuration,
            release: release.certain,
            releases: release.candidates,
            release_moving: release.moving,
            distribution,
            variant,
        }
    }

    /// Replaces `@name` by the named list.
    fn expand(&self, tools: &[String]) -> Vec<String> {
        let mut out = Vec::new();
        for tool in tools {
            match tool.strip_prefix('@') {
                Some(list) => out.extend(self.tools.get(list).into_iter().flatten().cloned()),
                None => out.push(tool.clone()),
            }
        }
        out
    }

    #[cfg(test)]
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.image.iter().map(|e| (e.family.as_str(), e.source.as_str()))
    }
}

#[derive(Debug, Default)]
struct Release {
    certain: Option<String>,
    candidates: Vec<String>,
    moving: bool,
}

impl When {
    fn fits(&self, tag: &Tag, version: Option<&str>, release: Option<&str>) -> bool {
        let has = |token: &String| tag.tokens.contains(token);
        self.tokens.iter().all(has)
            && !self.without.iter().any(has)
            && self.from.as_deref().is_none_or(|from| version.is_some_and(|v| compare(v, from).is_ge()))
            && self.before.as_deref().is_none_or(|before| version.is_some_and(|v| compare(v, before).is_lt()))
            && self.head_before.as_deref().is_none_or(|before| tag.version.as_deref().is_some_and(|v| compare(v, before).is_lt()))
            && self.release_from.as_deref().is_none_or(|from| release.is_some_and(|r| compare(r, from).is_ge()))
            && (!self.release_unknown || release.is_none())
            && (!self.version_unknown || version.is_none())
    }
}

/// The values of the placeholders in an image template.
struct Filling<'a> {
    tag: &'a str,
    version: &'a str,
    major: &'a str,
    minor: &'a str,
    beside: String,
    release: &'a str,
    debian: &'a str,
    alpine: &'a str,
    prefix: &'a str,
}

impl Filling<'_> {
    /// `None` where the template asks for a language version that the tag does not tell.
    fn image(&self, template: &str) -> Option<String> {
        if self.major.is_empty() && template.contains("{major}") || self.minor.is_empty() && template.contains("{minor}") {
            return None;
        }
        let text = [
            ("{tag}", self.tag),
            ("{version}", self.version),
            ("{major}", self.major),
            ("{minor}", self.minor),
            ("{beside}", &self.beside),
            ("{release}", self.release),
            ("{debian}", self.debian),
            ("{alpine}", self.alpine),
        ]
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
        let (name, tag) = text.split_once(':')?;
        let tag = tag.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        let prefix = if name.contains('.') { "" } else { self.prefix };
        Some(if tag.is_empty() { format!("{prefix}{name}") } else { format!("{prefix}{name}:{tag}") })
    }
}

fn environment(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.replace("$PATH", DEFAULT_PATH))),
        None => (text.to_owned(), None),
    }
}

fn is_prerelease(part: &str) -> bool {
    ["rc", "beta", "alpha", "preview", "dev"]
        .iter()
        .any(|head| part.strip_prefix(head).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')))
}

fn depth(version: &str) -> usize {
    version.split('.').count()
}

/// The number at the head of a version.
pub(crate) fn leading_number(version: &str) -> &str {
    let version = version.strip_prefix('v').unwrap_or(version);
    version.get(..version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len())).unwrap_or_default()
}

/// The first two numbers of a version that has so many and is no preview.
fn two_numbers(version: &str) -> Option<&str> {
    let (_, rest) = version.split_once('.').filter(|_| !version.contains('-'))?;
    let minor = leading_number(rest).len();
    version.get(..version.len() - rest.len() + minor).filter(|_| minor > 0)
}

/// Compares versions number by number; a missing number is lower than any.
pub(crate) fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    let numbers = |v: &str| v.split(['.', '-', '_', '+']).map(|p| leading_number(p).parse::<u64>().unwrap_or(0)).collect::<Vec<_>>();
    numbers(a).cmp(&numbers(b))
}

impl<'de> Deserialize<'de> for ImageUser {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            name: String,
            uid: u32,
            gid: u32,
            home: String,
        }
        Raw::deserialize(deserializer).map(|Raw { name, uid, gid, home }| Self { name, uid, gid, home })
    }
}
