//! Which stages need which others, in the order and with the numbering of the builder's converter.
//!
//! An image that is copied or mounted from joins the list of stages behind the last one, so that its number can be used,
//! and each stage is a target of its own that is built without those behind it. The functions are those of
//! dockerfile2llb/convert.go.

use std::collections::{HashMap, HashSet};

use crate::model::image::Reference;
use crate::model::walk::{Walk, WalkStep};
use crate::source::Span;
use crate::syntax::{View, mount};

/// Where an instruction takes files from, as written.
#[derive(Clone, Debug)]
enum Source {
    Number(i64),
    Name(String),
    /// A mount that names nothing: the converter notes an empty image for it.
    Nothing,
}

/// An instruction that takes files from somewhere.
#[derive(Clone, Debug)]
struct Command {
    item: usize,
    sources: Vec<(Source, Span)>,
}

/// What is wrong, at which item.
pub(super) struct Found {
    pub(super) item: usize,
    pub(super) message: String,
    pub(super) span: Span,
}

/// The commands of one stage: its own, and those that its base's ONBUILD instructions bring.
#[derive(Debug, Default)]
struct Commands {
    own: Vec<Command>,
    triggered: Vec<Command>,
}

/// The most work that is done to look at each stage as a target. Beyond it only the last one is.
const MOST: usize = 4_000_000;

/// What the converter refuses of the stages and of where they copy from.
pub(super) fn check(walk: &Walk) -> Vec<Found> {
    let mut commands: Vec<Commands> = walk.stages.iter().map(|_| Commands::default()).collect();
    let mut work = walk.stages.len();
    for (step, triggered) in
        walk.steps.iter().map(|s| (s, false)).chain(walk.triggered.iter().filter_map(|t| Some((t.step.as_ref()?, true))))
    {
        let Some((stage, command)) = step.stage.and_then(|s| commands.get_mut(s)).zip(command(step)) else { continue };
        work += command.sources.len();
        if triggered { stage.triggered.push(command) } else { stage.own.push(command) }
    }
    let last = walk.stages.len().saturating_sub(1);
    let first = if work.saturating_mul(walk.stages.len()) > MOST { last } else { 0 };
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for target in first..walk.stages.len() {
        if let Err(wrong) = Graph::new(walk, &commands, target).check()
            && seen.insert((wrong.item, wrong.message.clone()))
        {
            found.push(wrong);
        }
    }
    found
}

/// `toCommand` and `detectRunMount`.
fn command(step: &WalkStep) -> Option<Command> {
    let sources = match &step.view {
        View::Copy { add: false, .. } => {
            let flag = step.reading.flags.iter().find(|f| f.name == "from")?;
            let from = flag.value.as_deref().filter(|v| !v.is_empty())?;
            vec![(from.parse().map_or_else(|_| Source::Name(from.to_owned()), Source::Number), flag.span)]
        }
        View::Run { .. } => {
            let mounts = step.reading.flags.iter().filter(|f| f.name == "mount");
            let source = |value: &str| mount::written_from(value).map_or(Source::Nothing, Source::Name);
            mounts.map(|f| (source(f.value.as_deref().unwrap_or("")), f.span)).collect()
        }
        _ => return None,
    };
    (!sources.is_empty()).then_some(Command { item: step.item, sources })
}

/// A stage, or an image that is only copied from.
#[derive(Debug, Default)]
struct Node {
    base: Option<usize>,
    needs: Vec<usize>,
    done: bool,
    /// The sources of its commands, in the order in which they run.
    uses: Vec<(usize, usize, Span)>,
}

struct Graph<'a> {
    walk: &'a Walk,
    commands: &'a [Commands],
    target: usize,
    nodes: Vec<Node>,
    names: HashMap<&'a str, usize>,
}

impl<'a> Graph<'a> {
    /// `buildDispatchStates`: the stages up to `target`.
    fn new(walk: &'a Walk, commands: &'a [Commands], target: usize) -> Self {
        let mut names = HashMap::new();
        let mut nodes = Vec::new();
        for (index, stage) in walk.stages.iter().take(target + 1).enumerate() {
            nodes.push(Node { base: stage.parent, ..Node::default() });
            if let Some(name) = &stage.name {
                names.insert(name.as_str(), index);
            }
        }
        Self { walk, commands, target, nodes, names }
    }

    fn check(mut self) -> Result<(), Found> {
        let commands = self.commands;
        for (index, stage) in commands.iter().enumerate().take(self.target + 1) {
            for command in &stage.own {
                self.add(index, command, false)?;
            }
        }
        self.circles()?;
        let mut open = vec![false; self.target + 1];
        loop {
            let reachable = self.reachable();
            let mut more = false;
            for (index, stage) in commands.iter().enumerate().take(self.target + 1) {
                let Some(done) = open.get_mut(index).filter(|_| reachable.contains(&index)) else { continue };
                if !std::mem::replace(done, true) {
                    for command in stage.triggered.iter().rev() {
                        self.add(index, command, true)?;
                        more = true;
                    }
                }
            }
            if !more {
                return self.run(&reachable);
            }
        }
    }

    /// Notes what `command` of stage `index` takes from.
    fn add(&mut self, index: usize, command: &Command, triggered: bool) -> Result<(), Found> {
        let mut uses = Vec::new();
        for (source, span) in &command.sources {
            let refuse = |message: String| Found { item: command.item, message, span: *span };
            let known = match source {
                Source::Number(number) => {
                    let node = usize::try_from(*number).ok().filter(|n| *n < self.nodes.len());
                    Some(node.ok_or_else(|| refuse(format!("there is no stage {number} before this one")))?)
                }
                Source::Name(name) => self.names.get(name.to_lowercase().as_str()).copied(),
                Source::Nothing => None,
            };
            let node = match (known, source) {
                (Some(node), _) => node,
                (None, source) => {
                    if let Source::Name(name) = source
                        && name != "scratch"
                        && Reference::parse(name).is_none()
                    {
                        return Err(refuse(format!("`{name}` is neither a stage nor an image name")));
                    }
                    self.nodes.push(Node { done: true, ..Node::default() });
                    self.nodes.len() - 1
                }
            };
            uses.push((node, command.item, *span));
        }
        if let Some(stage) = self.nodes.get_mut(index) {
            stage.needs.extend(uses.iter().map(|u| u.0));
            if triggered {
                stage.uses.splice(0..0, uses)
            } else {
                stage.uses.splice(stage.uses.len().., uses)
            };
        }
        Ok(())
    }

    /// `validateCircularDependency`: over what is copied and mounted, not over bases.
    fn circles(&self) -> Result<(), Found> {
        let mut state = vec![0_u8; self.nodes.len()];
        for start in 0..self.nodes.len() {
            // Each entry: a node, and how many of its needs were followed.
            let mut path = vec![(start, 0_usize)];
            if state.get(start) != Some(&0) {
                continue;
            }
            while let Some((node, next)) = path.last_mut() {
                if let Some(slot) = state.get_mut(*node) {
                    *slot = 1;
                }
                let (at, use_) = (*node, self.nodes.get(*node).and_then(|n| n.uses.get(*next)));
                *next += 1;
                match use_ {
                    None => {
                        if let Some(slot) = state.get_mut(at) {
                            *slot = 2;
                        }
                        path.pop();
                    }
                    Some((need, item, span)) => match state.get(*need) {
                        Some(1) => {
                            let message = format!("{} needs what needs it: the stages go in a circle", self.name(at));
                            return Err(Found { item: *item, message, span: *span });
                        }
                        Some(0) => path.push((*need, 0)),
                        _ => {}
                    },
                }
            }
        }
        Ok(())
    }

    fn name(&self, node: usize) -> String {
        match self.walk.stages.get(node).and_then(|s| s.name.as_ref()) {
            Some(name) => format!("the stage `{name}`"),
            None => format!("stage {node}"),
        }
    }

    fn reachable(&self) -> HashSet<usize> {
        let mut seen = HashSet::new();
        let mut open = vec![self.target];
        while let Some(node) = open.pop() {
            if seen.insert(node)
                && let Some(node) = self.nodes.get(node)
            {
                open.extend(&node.needs);
                open.extend(node.base);
            }
        }
        seen
    }

    /// `dispatchStages`: the stages that are needed, in order.
    fn run(&mut self, reachable: &HashSet<usize>) -> Result<(), Found> {
        for index in 0..=self.target {
            if !reachable.contains(&index) {
                continue;
            }
            if let Some(node) = self.nodes.get_mut(index) {
                node.done = true;
            }
            for (source, item, span) in self.nodes.get(index).map_or(&[][..], |n| &n.uses) {
                if !self.nodes.get(*source).is_some_and(|n| n.done) {
                    let message = format!("{} must stand before the instruction that copies from it", self.name(*source));
                    return Err(Found { item: *item, message, span: *span });
                }
            }
        }
        Ok(())
    }
}
