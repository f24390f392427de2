//! `pom.xml`, as far as the names of what it builds go.

use crate::context::{Context, join, normalize};

/// What a `pom.xml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// Its artifact's name.
    pub artifact: String,
    /// Its version, the parent's where it has none.
    pub version: Option<String>,
    /// `jar`, `war`, `pom`.
    pub packaging: String,
    /// The name of the archive without its ending, if it is given.
    pub final_name: Option<String>,
    /// Its modules' folders.
    pub modules: Vec<String>,
    /// The parent's artifact.
    pub parent: Option<String>,
    /// The plugins of the build, by artifact.
    pub plugins: Vec<String>,
    /// The file's text, for what is not read here.
    pub text: String,
}

impl Project {
    /// Reads the `pom.xml` of `folder`.
    #[must_use]
    pub fn read(context: &Context, folder: &str) -> Option<Self> {
        Self::parse(&context.read(&join(&normalize(folder), "pom.xml"))?)
    }

    /// Reads the text of a `pom.xml`; `None` where it is malformed or has no artifact.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let document = roxmltree::Document::parse(text).ok()?;
        let root = document.root_element();
        let child = |node: roxmltree::Node, name: &str| -> Option<String> {
            let found = node.children().find(|c| c.tag_name().name() == name)?;
            Some(found.text().unwrap_or_default().trim().to_owned())
        };
        let inner = |name: &str| root.children().find(|c| c.tag_name().name() == name);
        let properties = inner("properties");
        let parent = inner("parent");
        let version = child(root, "version").or_else(|| child(parent?, "version"));
        let artifact = child(root, "artifactId")?;
        let resolve = |value: String| -> Option<String> {
            let mut value = value.replace("${project.artifactId}", &artifact).replace("${artifactId}", &artifact);
            if let Some(version) = &version {
                value = value.replace("${project.version}", version).replace("${version}", version);
            }
            for property in properties.iter().flat_map(roxmltree::Node::children).filter(roxmltree::Node::is_element) {
                value = value.replace(&format!("${{{}}}", property.tag_name().name()), property.text().unwrap_or_default().trim());
            }
            (!value.contains("${")).then_some(value)
        };
        let build = inner("build");
        let plugins = build.into_iter().flat_map(|b| b.descendants()).filter(|n| n.tag_name().name() == "plugin");
        let modules = inner("modules").into_iter().flat_map(|m| m.children()).filter(|c| c.tag_name().name() == "module");
        Some(Self {
            version: version.clone().and_then(resolve),
            packaging: child(root, "packaging").unwrap_or_else(|| "jar".to_owned()),
            final_name: build.and_then(|b| child(b, "finalName")).and_then(resolve),
            modules: modules.filter_map(|m| m.text().map(|t| t.trim().to_owned())).collect(),
            parent: parent.and_then(|p| child(p, "artifactId")),
            plugins: plugins.filter_map(|p| child(p, "artifactId")).collect(),
            artifact,
            text: text.to_owned(),
        })
    }

    /// The archive's name without its ending, if it is certain.
    #[must_use]
    pub fn archive(&self) -> Option<String> {
        if self.final_name.is_some() {
            return self.final_name.clone();
        }
        // A finalName that could not be resolved must not be replaced by the default.
        if self.text.contains("<finalName>") {
            return None;
        }
        Some(format!("{}-{}", self.artifact, self.version.as_ref()?))
    }
}

#[cfg(test)]
mod tests {
    use super::Project;

    #[test]
    fn names_of_archives() {
        let pom = |inner: &str| Project::parse(&format!("<project xmlns=\"http://maven.apache.org/POM/4.0.0\">{inner}</project>"));
        let p = pom("<parent><artifactId>boot</artifactId><version>2</version></parent><artifactId>app</artifactId><modules><module>a</module></modules>").unwrap();
        assert_eq!((p.archive().as_deref(), p.parent.as_deref(), p.modules.len()), (Some("app-2"), Some("boot"), 1));
        let p = pom("<artifactId>app</artifactId><version>${rev}</version><properties><rev>3.1</rev></properties><build><finalName>${project.artifactId}-x</finalName></build>").unwrap();
        assert_eq!(p.version.as_deref(), Some("3.1"));
        assert_eq!(p.archive().as_deref(), Some("app-x"));
        let p = pom("<artifactId>app</artifactId><version>1</version><build><finalName>${unknown}</finalName></build>").unwrap();
        assert_eq!(p.archive(), None);
        assert!(pom("").is_none());
    }
}
