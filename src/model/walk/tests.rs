use super::{Assumptions, BaseImage, Walk, walk};
use crate::model::Value;
use crate::syntax::Dockerfile;

fn plain(source: &str) -> Walk {
    walk(&Dockerfile::parse(source), &Assumptions { base: &|_| BaseImage::bare(), plain_build: true })
}

fn real(source: &str) -> Walk {
    let base = |name: Option<&str>| match name {
        Some("golang:1.22") => BaseImage { workdir: Some("/go".into()), user: Some(String::new()), complete: true, ..BaseImage::bare() },
        _ => BaseImage::default(),
    };
    walk(&Dockerfile::parse(source), &Assumptions { base: &base, plain_build: false })
}

fn labels(walk: &Walk) -> Vec<(&str, &str)> {
    walk.stages.last().unwrap().end.config.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

#[test]
fn one_instruction_sees_the_values_from_before_it() {
    let walk = plain("FROM x\nENV a=1\nENV a=2 b=$a\nLABEL b=$b c=\"$a\"\n");
    assert_eq!(labels(&walk), [("b", "1"), ("c", "2")]);
}

#[test]
fn arguments_belong_to_their_stage() {
    let walk = plain("ARG v=1\nFROM x:$v AS one\nARG v\nARG w=$v\nLABEL a=$v$w\nFROM y\nLABEL b=[$v]\nFROM one\nLABEL c=$w\n");
    let label = |i: usize, k: &str| walk.stages[i].end.config.labels.get(k).cloned().unwrap();
    assert_eq!(walk.stages[0].base.as_deref(), Some("x:1"));
    assert_eq!(label(0, "a"), "11");
    assert_eq!(label(1, "b"), "[]");
    assert_eq!(label(2, "c"), "1");
    assert_eq!(walk.stages[2].parent, Some(0));
}

#[test]
fn entrypoint_resets_the_command_of_the_base() {
    let config = |source: &str| plain(source).stages.last().unwrap().end.config.clone();
    assert_eq!(config("FROM x AS a\nCMD [\"c\"]\nFROM a\nENTRYPOINT [\"e\"]\n").cmd, None);
    assert_eq!(config("FROM x\nCMD [\"c\"]\nENTRYPOINT [\"e\"]\n").cmd.unwrap(), ["c"]);
    assert_eq!(config("FROM x\nSHELL [\"/bin/bash\", \"-c\"]\nCMD a b\n").cmd.unwrap(), ["/bin/bash", "-c", "a b"]);
}

#[test]
fn directories_are_joined() {
    let directory = |source: &str| plain(source).stages.last().unwrap().end.config.working_dir.clone().unwrap();
    assert_eq!(directory("FROM x\nWORKDIR a\nWORKDIR ../b/./c\n"), "/b/c");
    assert_eq!(directory("FROM x\nWORKDIR /a/\n"), "/a/");
    assert_eq!(directory("FROM --platform=windows/amd64 x\nWORKDIR C:/a\nWORKDIR b\n"), "\\a\\b");
    assert_eq!(directory("FROM scratch\n"), "/");
}

#[test]
fn triggers_run_in_the_stage_that_starts_from_theirs() {
    let walk = plain("FROM x AS a\nONBUILD ENV k=v\nFROM a\nLABEL l=$k\n");
    assert_eq!(walk.stages[0].end.config.on_build, ["ENV k=v"]);
    assert_eq!(labels(&walk), [("l", "v")]);
    assert_eq!(walk.stages[1].end.config.on_build, [""; 0]);
}

#[test]
fn what_the_file_does_not_say_is_unknown() {
    let walk = real("FROM some/image\nARG version\nENV v=$version p=$HOME/bin q=x\nWORKDIR app\nWORKDIR $v\n");
    let end = &walk.stages[0].end;
    let value = |name: &str| end.env.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    assert_eq!(value("v"), Some(Value::Unknown));
    assert_eq!(value("p"), Some(Value::Unknown));
    assert_eq!(value("q"), Some(Value::Known("x".into())));
    assert_eq!(end.workdir, None);
    assert_eq!(end.user, None);
    let walk = real("FROM golang:1.22\nWORKDIR src\nUSER app\n");
    let end = &walk.stages[0].end;
    assert_eq!((end.workdir.as_deref(), end.user.as_deref()), (Some("/go/src"), Some("app")));
    assert_eq!(walk.steps[1].before.workdir.as_deref(), Some("/go"));
}

#[test]
fn health_checks_and_ports_are_spelled_as_the_builder_spells_them() {
    let config = plain("FROM x\nEXPOSE 80 90-91/UDP\nHEALTHCHECK --interval=1m --retries=2 CMD a b\nVOLUME /a b\nSTOPSIGNAL 9\n");
    let config = &config.stages[0].end.config;
    assert_eq!(config.exposed_ports.keys().collect::<Vec<_>>(), ["80/tcp", "90/udp", "91/udp"]);
    let check = config.healthcheck.as_ref().unwrap();
    assert_eq!((check.test.join(" "), check.interval, check.retries), ("CMD-SHELL a b".into(), 60_000_000_000, 2));
    assert_eq!(config.volumes.keys().collect::<Vec<_>>(), ["/a", "b"]);
}
