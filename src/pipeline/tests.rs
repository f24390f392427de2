//! The pipeline with small transforms of its own.

use super::*;
use crate::syntax::Keyword;
use crate::transforms::{Group, Refusal};

const fn fake(id: &'static str, group: Group, may_change: &'static [&'static str], run: fn(&Model) -> Findings) -> Transform {
    Transform { id, summary: "", group, may_change, page: "", run }
}

fn proposal(level: Level, line: usize, edits: Vec<Edit>) -> Proposal {
    Proposal { level, title: "do".into(), reason: "because".into(), line, declares: Vec::new(), edits }
}

/// `a` becomes `b` in the body of every RUN, one RUN a pass.
fn one_at_a_time(model: &Model) -> Findings {
    let mut out = Findings::default();
    for step in &model.steps {
        let text = step.span.text(model.file.source());
        if let (Keyword::Run, Some(at)) = (step.keyword, text.find(" a")) {
            let edit = Edit::replace(Span::new(step.span.start + at + 1, step.span.start + at + 2), "b");
            out.proposals.push(proposal(Level::Safe, step.line, vec![edit]));
            return out;
        }
    }
    out.refusals.push(Refusal { reason: "nothing".into(), line: 1 });
    out
}

fn shout(model: &Model) -> Findings {
    let steps = model.steps.iter().filter(|s| s.keyword == Keyword::Run && s.span.text(model.file.source()).starts_with("RUN b"));
    let edits = steps.map(|s| proposal(Level::Safe, s.line, vec![Edit::replace(Span::new(s.span.start, s.span.start + 5), "RUN B")]));
    Findings { proposals: edits.collect(), refusals: Vec::new() }
}

fn suggests(_: &Model) -> Findings {
    Findings { proposals: vec![proposal(Level::Suggest, 1, vec![Edit::insert(0, "# s\n")])], refusals: Vec::new() }
}

/// Adds a line whenever it is asked.
fn endless(model: &Model) -> Findings {
    let end = model.file.source().len();
    Findings { proposals: vec![proposal(Level::Safe, 1, vec![Edit::insert(end, "# more\n")])], refusals: Vec::new() }
}

fn eats_comments(model: &Model) -> Findings {
    let source = model.file.source();
    let mut out = Findings::default();
    if let Some(at) = source.find("# c") {
        out.proposals.push(proposal(Level::Safe, 1, vec![Edit::delete(Span::new(at, at + 4))]));
    }
    // One good proposal beside the bad one.
    if source.contains("RUN good") {
        let at = source.find("good").unwrap();
        out.proposals.push(proposal(Level::Safe, 2, vec![Edit::replace(Span::new(at, at + 4), "done")]));
    }
    out
}

fn changes_cmd(model: &Model) -> Findings {
    let Some(at) = model.file.source().find("old") else { return Findings::default() };
    Findings { proposals: vec![proposal(Level::Review, 1, vec![Edit::replace(Span::new(at, at + 3), "new")])], refusals: Vec::new() }
}

fn declares_cmd(model: &Model) -> Findings {
    let mut out = changes_cmd(model);
    for p in &mut out.proposals {
        p.declares = vec!["Cmd"];
    }
    out
}

/// Puts a line in front of everything, once.
fn heads(model: &Model) -> Findings {
    let proposals = if model.file.source().starts_with("# head") {
        Vec::new()
    } else {
        vec![proposal(Level::Safe, 1, vec![Edit::insert(0, "# head\n")])]
    };
    Findings { proposals, refusals: Vec::new() }
}

/// Says of every RUN in which line it stands.
fn names_lines(model: &Model) -> Findings {
    let runs = || model.steps.iter().filter(|s| s.keyword == Keyword::Run);
    let refusals = runs().map(|s| Refusal { reason: format!("`line 9`: line {} stays", s.line), line: s.line }).collect();
    let edit = Edit::insert(model.file.source().len(), "# end\n");
    let proposals = runs()
        .map(|s| Proposal { title: format!("see line {}", s.line), ..proposal(Level::Suggest, s.line, vec![edit.clone()]) })
        .collect();
    Findings { proposals, refusals }
}

fn ignore_file(_: &Model) -> Findings {
    let edit = Edit { path: Some(".dockerignore".into()), ..Edit::insert(0, ".git\n") };
    Findings { proposals: vec![proposal(Level::Safe, 1, vec![edit])], refusals: Vec::new() }
}

static LIST: &[Transform] = &[
    fake("one", Group::Hygiene, &[], one_at_a_time),
    fake("shout", Group::Hygiene, &[], shout),
    fake("suggests", Group::Hygiene, &[], suggests),
    fake("endless", Group::Harden, &[], endless),
    fake("eats", Group::Harden, &[], eats_comments),
    fake("cmd", Group::Harden, &["Cmd"], changes_cmd),
    fake("declared", Group::Harden, &["Cmd"], declares_cmd),
    fake("undeclared", Group::Harden, &[], declares_cmd),
    fake("side", Group::Harden, &[], ignore_file),
    fake("heads", Group::Harden, &[], heads),
    fake("names", Group::Modernize, &[], names_lines),
];

fn run_on(source: &str, select: &[&str], safe: bool) -> Outcome {
    let select: Vec<String> = select.iter().map(|s| (*s).to_owned()).collect();
    let selection = Selection::resolve(LIST, &select, &[], safe).unwrap();
    let settings =
        Settings { transforms: LIST, recipes: &[], selection: &selection, options: &Options::default(), catalog: Catalog::built_in() };
    run(source, &Context::none(), settings)
}

#[test]
fn a_transform_runs_until_it_has_nothing_more_and_later_ones_see_its_result() {
    let out = run_on("FROM x\nRUN a\n# note\nRUN a\n", &["one", "shout"], false);
    assert_eq!(out.text, "FROM x\nRUN B\n# note\nRUN B\n");
    let lines: Vec<_> = out.proposals.iter().map(|p| (p.transform, p.line)).collect();
    assert_eq!(lines, [("one", 2), ("one", 4), ("shout", 2), ("shout", 4)]);
}

#[test]
fn what_can_not_be_told_apart_shares_a_group_and_all_edits_together_make_the_result() {
    let source = "FROM x\nRUN a\nRUN a\n";
    let out = run_on(source, &["one", "shout"], false);
    let groups: Vec<_> = out.proposals.iter().map(|p| p.group).collect();
    assert_eq!(groups, [0, 1, 0, 1]);
    let all = crate::edit::EditSet::new(out.proposals.iter().flat_map(|p| p.edits.clone())).unwrap();
    assert_eq!(all.apply(source).unwrap(), out.text);
}

#[test]
fn suggestions_are_shown_and_applied_only_by_name() {
    let out = run_on("FROM x\n", &[], false);
    assert_eq!((out.text.as_str(), out.proposals.len(), out.proposals[0].applied), ("FROM x\n", 1, false));
}

#[test]
fn safe_leaves_out_what_needs_review() {
    assert_eq!(run_on("FROM x\nCMD old\n", &["declared"], true).text, "FROM x\nCMD old\n");
    assert_eq!(run_on("FROM x\nCMD old\n", &["declared"], false).text, "FROM x\nCMD new\n");
}

#[test]
fn what_never_ends_is_switched_off_and_said() {
    let out = run_on("FROM x\nRUN a\n", &["one", "endless"], false);
    assert_eq!(out.text, "FROM x\nRUN b\n");
    assert!(out.refusals.iter().any(|r| r.transform == "endless" && r.bug));
}

#[test]
fn the_gate_holds_back_one_and_lets_the_other_through() {
    let out = run_on("FROM x\n# c\nRUN good\n", &["eats"], false);
    assert_eq!(out.text, "FROM x\n# c\nRUN done\n");
    assert!(out.refusals.iter().any(|r| r.bug && r.reason.contains("comment")), "{:?}", out.refusals);
}

#[test]
fn an_undeclared_change_of_the_configuration_is_held_back() {
    let source = "FROM x\nCMD old\n";
    let out = run_on(source, &["cmd"], false);
    assert_eq!(out.text, source);
    assert!(out.refusals[0].reason.contains("Cmd would change"), "{:?}", out.refusals);
    assert_eq!(run_on(source, &["undeclared"], false).text, source);
}

#[test]
fn a_comment_silences_an_instruction_or_the_file_and_says_so() {
    let out = run_on("FROM x\n# restage: ignore[one] keep\nRUN a\n", &["one"], false);
    assert!(out.text.ends_with("RUN a\n"));
    assert!(out.refusals.iter().any(|r| r.reason.contains("line 2")));
    assert!(run_on("# restage: ignore\nFROM x\nRUN a\n", &["one"], false).text.ends_with("RUN a\n"));
    assert!(run_on("# restage: ignore[other]\nFROM x\nRUN a\n", &["one"], false).text.ends_with("RUN b\n"));
}

#[test]
fn an_edit_of_another_file_is_made_once() {
    let out = run_on("FROM x\n", &["side"], false);
    assert_eq!((out.others.len(), out.proposals.len()), (1, 1));
}

#[test]
fn a_second_run_proposes_nothing() {
    for source in ["FROM x\nRUN a\nRUN a\nCMD old\n", "FROM x\r\nRUN a \\\r\n  a\r\nCMD old"] {
        let select = ["one", "shout", "declared"];
        let once = run_on(source, &select, false);
        let twice = run_on(&once.text, &select, false);
        assert_eq!(once.text, twice.text);
        assert!(twice.proposals.is_empty());
    }
}

#[test]
fn titles_and_reasons_name_lines_of_the_original() {
    let out = run_on("FROM x\nRUN a\n", &["heads", "modernize"], false);
    assert_eq!(out.text, "# head\nFROM x\nRUN a\n");
    assert!(out.proposals.iter().any(|p| !p.applied && p.title == "see line 2"), "{:?}", out.proposals);
    let told: Vec<_> = out.refusals.iter().map(|r| (r.line, r.reason.as_str())).collect();
    assert_eq!(told, [(2, "`line 9`: line 2 stays")]);
}
