use super::Catalog;
use crate::model::image::{ImageFacts, Reference};

fn facts(image: &str) -> ImageFacts {
    Catalog::built_in().image(&Reference::parse(image).unwrap()).unwrap_or_else(|| panic!("{image} is unknown"))
}

#[test]
fn files_parse_and_name_their_sources() {
    let images: super::images::Images = toml::from_str(include_str!("../../catalog/images.toml")).unwrap();
    assert!(images.sources().count() > 40);
    assert!(images.sources().all(|(_, source)| !source.is_empty()));
}

#[test]
fn slim_counterparts() {
    for (image, slim) in [
        ("python", Some("python:slim")),
        ("python:latest", Some("python:slim")),
        ("python:3", Some("python:3-slim")),
        ("python:3.11", Some("python:3.11-slim")),
        ("python:3.11-bookworm", Some("python:3.11-slim-bookworm")),
        ("python:bookworm", Some("python:slim-bookworm")),
        ("python:3.13.0rc1", Some("python:3.13.0rc1-slim")),
        ("python:3.13-rc", Some("python:3.13-rc-slim")),
        ("docker.io/library/python:3.8", Some("python:3.8-slim")),
        ("public.ecr.aws/docker/library/python:3.8", Some("public.ecr.aws/docker/library/python:3.8-slim")),
        ("arm64v8/python:3.8", Some("arm64v8/python:3.8-slim")),
        ("python:3.11-slim", None),
        ("python:3.11-alpine", None),
        ("python:3.11-windowsservercore-ltsc2022", None),
        ("python:3.11-something", None),
        ("node", Some("node:slim")),
        ("node:latest", Some("node:slim")),
        ("node:18", Some("node:18-slim")),
        ("node:18-bookworm", Some("node:18-bookworm-slim")),
        ("node:lts", Some("node:lts-slim")),
        ("node:hydrogen", Some("node:hydrogen-slim")),
        ("node:lts-bullseye", Some("node:lts-bullseye-slim")),
        ("node:bullseye", Some("node:bullseye-slim")),
        ("node:alpine", None),
        ("ruby:3.2-bookworm", Some("ruby:3.2-slim-bookworm")),
        ("debian:12", Some("debian:12-slim")),
        ("debian:bookworm", Some("debian:bookworm-slim")),
        ("debian:bookworm-20240612", None),
        ("golang:1.22", None),
    ] {
        assert_eq!(facts(image).slim.as_deref(), slim, "{image}");
    }
}

#[test]
fn runtime_images() {
    for (image, runtime) in [
        ("golang:1.22", Some("debian:bookworm-slim")),
        ("golang:1.22.3", Some("debian:bookworm-slim")),
        ("golang:1.22-bullseye", Some("debian:bullseye-slim")),
        ("golang:latest", Some("debian:stable-slim")),
        ("golang", Some("debian:stable-slim")),
        ("golang:1.19", Some("debian:bookworm-slim")),
        ("golang:1.22-alpine3.19", Some("alpine:3.19")),
        ("golang:alpine", Some("alpine:3")),
        ("golang:1.22-nanoserver", None),
        ("rust:latest", Some("debian:stable-slim")),
        ("rust:1-bookworm", Some("debian:bookworm-slim")),
        ("rust:1-slim-bookworm", Some("debian:bookworm-slim")),
        ("gcc:12", Some("debian:bookworm-slim")),
        ("openjdk:17", Some("eclipse-temurin:17-jre")),
        ("openjdk:8u212-jdk-slim", Some("eclipse-temurin:8-jre")),
        ("openjdk:8-jdk-alpine", Some("eclipse-temurin:8-jre-alpine")),
        ("openjdk:17-jre-slim", None),
        ("maven:3.8-openjdk-17", Some("eclipse-temurin:17-jre")),
        ("maven:3.6.3-jdk-11-slim", Some("eclipse-temurin:11-jre")),
        ("maven:3.9-eclipse-temurin-17-alpine", Some("eclipse-temurin:17-jre-alpine")),
        ("maven:3.8", None),
        ("maven", None),
        ("gradle:7-jdk17", Some("eclipse-temurin:17-jre")),
        ("gradle:jdk17", Some("eclipse-temurin:17-jre")),
        ("gradle:7.6.0-jdk11-alpine", Some("eclipse-temurin:11-jre-alpine")),
        ("eclipse-temurin:17", Some("eclipse-temurin:17-jre")),
        ("eclipse-temurin:17-jdk-jammy", Some("eclipse-temurin:17-jre-jammy")),
        ("eclipse-temurin:21-jdk-alpine", Some("eclipse-temurin:21-jre-alpine")),
        ("eclipse-temurin:17-jre", None),
        ("mcr.microsoft.com/dotnet/sdk:6.0-alpine", Some("mcr.microsoft.com/dotnet/aspnet:6.0-alpine")),
        ("mcr.microsoft.com/dotnet/sdk:8.0", Some("mcr.microsoft.com/dotnet/aspnet:8.0")),
        ("mcr.microsoft.com/dotnet/sdk:6.0.408", Some("mcr.microsoft.com/dotnet/aspnet:6.0")),
        ("mcr.microsoft.com/dotnet/sdk:7.0-bullseye-slim", Some("mcr.microsoft.com/dotnet/aspnet:7.0-bullseye-slim")),
        ("mcr.microsoft.com/dotnet/core/sdk:3.1-buster", Some("mcr.microsoft.com/dotnet/core/aspnet:3.1-buster-slim")),
        ("mcr.microsoft.com/dotnet/sdk:6.0.100-focal", Some("mcr.microsoft.com/dotnet/aspnet:6.0-focal")),
        ("mcr.microsoft.com/dotnet/sdk:8.0-jammy-amd64", None),
        ("mcr.microsoft.com/dotnet/sdk:8.0-cbl-mariner2.0", None),
        ("mcr.microsoft.com/dotnet/sdk:9.0-preview", None),
        ("mcr.microsoft.com/dotnet/sdk:latest", None),
        ("mcr.microsoft.com/dotnet/sdk:6", None),
        ("mcr.microsoft.com/dotnet/aspnet:6.0", None),
    ] {
        assert_eq!(facts(image).runtime.as_deref(), runtime, "{image}");
    }
}

#[test]
fn releases() {
    for (image, release, candidates, moving) in [
        ("python:3.11", None, "bookworm trixie", true),
        ("python:3.8", Some("bookworm"), "bookworm", false),
        ("python:3.6.9", None, "stretch buster bullseye", false),
        ("python:3.11.2", None, "stretch buster bullseye bookworm trixie", false),
        ("python:3.11-bullseye", Some("bullseye"), "bullseye", false),
        ("node:18", Some("bookworm"), "bookworm", false),
        ("golang:1.17.5", Some("bullseye"), "bullseye", false),
        ("debian:12", Some("bookworm"), "bookworm", false),
        ("debian:12.5-slim", Some("bookworm"), "bookworm", false),
        ("debian", None, "bookworm trixie", true),
        ("debian:stable-slim", None, "bookworm trixie", true),
        ("debian:testing", None, "", true),
        ("ubuntu:22.04", Some("22.04"), "22.04", false),
        ("ubuntu:jammy", Some("22.04"), "22.04", false),
        ("alpine:3.18.4", Some("3.18"), "3.18", false),
        ("alpine:3", None, "", true),
        ("python:3.11-alpine3.18", Some("3.18"), "3.18", false),
        ("fedora:38", Some("38"), "38", false),
        ("mcr.microsoft.com/dotnet/aspnet:8.0-jammy", Some("22.04"), "22.04", false),
    ] {
        let f = facts(image);
        assert_eq!(f.release.as_deref(), release, "{image}");
        assert_eq!(f.releases.join(" "), candidates, "{image}");
        assert_eq!(f.release_moving, moving, "{image}");
    }
}

#[test]
fn what_images_bring() {
    let go = facts("golang:1.22");
    assert_eq!(go.workdir.as_deref(), Some("/go"));
    assert!(go.env.contains(&("GOPATH".into(), Some("/go".into()))));
    assert!(
        go.env.contains(&(
            "PATH".into(),
            Some("/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into())
        ))
    );
    let node = facts("node:18-slim");
    assert_eq!((node.variant.as_str(), node.users.first().map(|u| u.uid)), ("slim", Some(1000)));
    assert_eq!(node.entrypoint, Some(vec!["docker-entrypoint.sh".into()]));
    assert!(facts("python:3.11").tools.iter().any(|t| t == "curl"));
    assert!(facts("python:3.11-slim").tools.is_empty());
    assert_eq!(facts("gcr.io/distroless/static-debian12:nonroot").user.as_deref(), Some("65532"));
    assert_eq!(facts("gcr.io/distroless/static").user, None);
    assert!(!facts("gcr.io/distroless/static").shell);
    assert_eq!(facts("ubuntu:24.04").users.len(), 1);
    assert!(facts("ubuntu:22.04").users.is_empty());
    assert!(facts("postgres:15").drops_root && facts("nginx").drops_root);
    assert_eq!(facts("mcr.microsoft.com/windows/nanoserver:1809").variant, "windows");
    assert_eq!(facts("centos:7").package_manager.as_deref(), Some("yum"));
    assert_eq!(facts("rockylinux:9-minimal").package_manager.as_deref(), Some("microdnf"));
    assert_eq!(facts("python:3.11-alpine").libc.as_deref(), Some("musl"));
    assert!(Catalog::built_in().image(&Reference::parse("example/own").unwrap()).is_none());
}

#[test]
fn users_in_force_behind_from() {
    for (image, user) in [
        ("node:18", Some("")),
        ("jenkins/jenkins:lts", Some("jenkins")),
        ("gradle:4.10-jdk8", None),
        ("gradle:8-jdk17", Some("")),
        ("gradle:jdk17", Some("")),
        ("gitpod/workspace-full", None),
        ("mcr.microsoft.com/devcontainers/base:1", None),
        ("bitnami/node:18", None),
        ("haproxy:2.9", None),
        ("caddy:2", Some("")),
    ] {
        assert_eq!(facts(image).start_user().as_deref(), user, "{image}");
    }
    assert_eq!(facts("caddy:2").start_folder(), None);
    assert_eq!(facts("debian:12").start_folder().as_deref(), Some("/"));
}
