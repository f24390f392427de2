use super::super::super::RunFacts;
use super::super::{Action, Classified};
use crate::model::Value;
use crate::shell::Body;
use crate::source::{LineIndex, Span};

fn facts(text: &str) -> Vec<Classified> {
    let body = Body::line(text, Span::new(0, text.len()), '\\');
    let environment = [("APP".to_owned(), Value::Known("/app".into()))];
    let facts = RunFacts::read(&body, &["/bin/sh".into(), "-c".into()], Some("/src"), &environment, &LineIndex::new(text));
    assert!(facts.script.is_some(), "{text}");
    facts.commands
}

/// A short name of what each command does.
fn short(text: &str) -> String {
    let name = |c: &Classified| {
        let words = |w: &[crate::shell::ShellWord]| w.iter().map(|w| format!(" {}", w.raw)).collect::<String>();
        match &c.action {
            Action::System { manager, operation, packages } => format!("{manager} {operation:?}{}", words(packages)),
            Action::Language { manager, operation, packages, files } => {
                let files = if files.is_empty() { String::new() } else { format!(" <{}", words(files)) };
                format!("{manager} {operation:?}{}{files}", words(packages))
            }
            Action::Build { tool } => format!("build {tool}"),
            Action::File { writes, reads } => format!("file{} <{}", words(writes), words(reads)),
            other => format!("{other:?}"),
        }
    };
    facts(text).iter().map(name).collect::<Vec<_>>().join("; ")
}

#[test]
fn system_managers() {
    for (text, what) in [
        (
            "apt-get update && apt-get install -y --no-install-recommends -t sid gcc libpq-dev=1.2*",
            "apt Update; apt Install gcc libpq-dev=1.2*",
        ),
        ("apt -y -o A=b install curl", "apt Install curl"),
        ("apt-get -qq clean; rm -rf /var/lib/apt/lists/* /tmp/*", "apt Clean; Clean"),
        ("apk add --no-cache --virtual .deps gcc musl-dev && apk del .deps", "apk Install gcc musl-dev; apk Remove .deps"),
        ("apk --no-cache -U add bash", "apk Install bash"),
        ("yum install -y a b && yum clean all", "yum Install a b; yum Clean all"),
        ("microdnf -y --setopt=x=1 install tar", "dnf Install tar"),
        ("zypper -n in -r repo vim", "zypper Install vim"),
        ("pacman -Syu --noconfirm git", "pacman Install git"),
        ("pacman -Sy", "pacman Update"),
        ("dpkg -i x.deb", "apt Install x.deb"),
        ("rpm -Uvh https://x/y.rpm", "yum Install https://x/y.rpm"),
    ] {
        assert_eq!(short(text), what, "{text}");
    }
}

#[test]
fn language_managers() {
    for (text, what) in [
        ("pip install --no-cache-dir -r requirements.txt", "pip Install < requirements.txt"),
        ("pip3.11 install -i https://x/ --requirement=a.txt -rb.txt -c c.txt -e . flask==2", "pip Install flask==2 . < a.txt b.txt c.txt"),
        ("python3 -m pip install -U pip", "pip Install pip"),
        ("/venv/bin/pip install x", "pip Install x"),
        ("uv pip install --system -r r.txt", "uv Install < r.txt"),
        ("uv sync --frozen", "uv Install"),
        ("poetry install --only main", "poetry Install"),
        ("conda env create -f env.yml", "conda Install < env.yml"),
        ("npm ci --omit=dev", "npm Install"),
        ("npm i -g pm2@5", "npm Install pm2@5"),
        ("npm run build -- --prod", "npm Run build"),
        ("npm test", "Test"),
        ("npm cache clean --force", "Clean"),
        ("yarn", "yarn Install"),
        (
            "yarn --frozen-lockfile && yarn build && yarn run x && yarn global add y",
            "yarn Install; yarn Run build; yarn Run x; yarn Install y",
        ),
        ("corepack enable && pnpm install --frozen-lockfile", "corepack Other; pnpm Install"),
        ("npx tsc -p .", "npx Run tsc"),
        ("go mod download && go build -o /app ./cmd/x", "go Download; build go"),
        ("go get -d -v ./... && go install -v ./... && go install a.b/c@latest", "go Install ./...; build go; go Install a.b/c@latest"),
        ("cargo build --release && cargo install --path . && cargo test", "build cargo; cargo Install .; Test"),
        ("bundle install --without development -j4", "bundle Install"),
        ("bundle exec rake assets:precompile", "bundle Run rake assets:precompile"),
        ("gem install bundler -v 2.1", "gem Install bundler"),
        ("composer install --no-dev", "composer Install"),
        ("mvn -B -f pom.xml clean package -DskipTests", "build maven"),
        ("mvn dependency:go-offline", "maven Download"),
        ("./gradlew clean bootJar --no-daemon", "build gradle"),
        ("dotnet restore A.csproj && dotnet publish -c Release -o out", "dotnet Download A.csproj; build dotnet"),
        ("mix deps.get --only prod && mix release", "mix Download; build mix"),
    ] {
        let got = short(text);
        assert_eq!(got, what, "{text}");
    }
}

#[test]
fn files_and_the_rest() {
    for (text, what) in [
        ("mkdir -p /a /b && cp -r x y /c/ && chmod 755 /d && chown -R u:g /e", "file /a /b <; file /c/ < x y; file /d <; file /e <"),
        ("sed -i 's/a/b/' /etc/x && sed -n p y", "file /etc/x <; file < y"),
        ("curl -fsSL https://x | tar -xz -C /opt", "Download; file /opt <"),
        ("./configure --prefix=/x && make -j4 && make install", "build configure; build make; build make"),
        ("git clone https://x && wget y", "Download; Download"),
        ("useradd -m app; echo hi > /x; true", "User; Shell; Shell"),
        ("./setup.sh && $FOO x && python manage.py collectstatic", "Unknown; Unknown; Unknown"),
        ("rm -rf /var/cache/apk/*", "Clean"),
        ("su app -c 'npm ci && make'", "npm Install; build make"),
        ("su - -s /bin/bash -c 'pip install x' app", "pip Install x"),
        ("runuser -u app -- npm ci; su app", "Unknown; Unknown"),
        ("rm -rf /var/lib/x", "file /var/lib/x <"),
    ] {
        assert_eq!(short(text), what, "{text}");
    }
}

#[test]
fn wrappers_and_shells() {
    assert_eq!(short("sudo -E -u root A=1 apt-get install -y x"), "apt Install x");
    assert_eq!(short("env A=1 B=2 timeout -k 5 60 pip install x"), "pip Install x");
    assert_eq!(short("bash -lc 'cd /y && npm ci' && pwd"), "Shell; npm Install; Shell");
    let found = facts("DEBIAN_FRONTEND=noninteractive sudo X=\"a b\" apt-get update");
    assert_eq!(found[0].environment, [("DEBIAN_FRONTEND".into(), Some("noninteractive".into())), ("X".into(), Some("a b".into()))]);
}

#[test]
fn directories() {
    let dirs = |text: &str| facts(text).iter().map(|c| c.directory.clone().unwrap_or_else(|| "?".into())).collect::<Vec<_>>();
    assert_eq!(dirs("a && cd /x/y && b && cd .. && c"), ["/src", "/src", "/x/y", "/x/y", "/x"]);
    assert_eq!(dirs("(cd /x && a) && b"), ["/src", "/x", "/src"]);
    assert_eq!(dirs("cd $APP/z && a && cd - && b && cd $NO && c"), ["/src", "/app/z", "/app/z", "/src", "/src", "?"]);
    assert_eq!(dirs("if x; then cd /y; fi; a"), ["/src", "/src", "?"]);
    assert_eq!(dirs("cd /y | a; b"), ["/src", "/src", "/src"]);
}

#[test]
fn failures() {
    let flags = |text: &str| {
        facts(text)
            .iter()
            .map(|c| format!("{}{}", if c.conditional { "c" } else { "" }, if c.failure_ignored { "i" } else { "" }))
            .collect::<Vec<_>>()
    };
    assert_eq!(flags("a && b"), ["", ""]);
    assert_eq!(flags("a || true"), ["i", "c"]);
    assert_eq!(flags("a || exit 1"), ["", "c"]);
    assert_eq!(flags("a; b"), ["i", ""]);
    assert_eq!(flags("set -eux; a; b"), ["i", "", ""]);
    assert_eq!(flags("a | b"), ["i", ""]);
    assert_eq!(flags("if a; then b; fi"), ["i", "c"]);
    assert_eq!(flags("! a"), ["i"]);
}

#[test]
fn functions_count_where_they_are_called() {
    assert_eq!(short("f() { cd /x && apt-get update; }; f && make"), "Shell; apt Update; build make");
    assert_eq!(short("f() { make; }; f; f"), "build make; Shell");
    assert_eq!(short("g() { make; }"), "build make");
    assert_eq!(short("pip() { command pip install \"$@\"; }; pip x"), "pip Install \"$@\"");
    let found = facts("f() { cd /x; }; a() { b || c; }; f && make; a");
    assert_eq!(found[1].directory.as_deref(), Some("/x"));
    assert!(found[3].conditional && found[2].failure_ignored && !found[3].failure_ignored);
    let found = facts("f() { cd /x; make; }");
    assert!(found[1].conditional && found[1].directory.as_deref() == Some("/x"));
    // A function that calls itself, or that calls another before it is defined, ends.
    assert_eq!(short("f() { f; g; }; g() { f; make; }; f"), "Shell; Shell; build make");
}

#[test]
fn spelled_by_variables_and_comments() {
    assert_eq!(short("$APP/bin/pip install x && $NO install y"), "pip Install x; Unknown");
    assert_eq!(short("`# why` && [ -n \"$x\" ] && make"), "Shell; Shell; build make");
    assert_eq!(short("python3 setup.py install && python -u ./get-pip.py && python x.py"), "build python3; get-pip Install; Unknown");
    assert_eq!(short("a2enmod rewrite && gpg --recv-keys x && python -m venv /v"), "apt Other; Download; build python");
    assert_eq!(
        short("pyenv install 3.8 && pyenv global 3.8 && easy_install pip"),
        "pyenv Install 3.8; pyenv Other 3.8; easy_install Install pip"
    );
}
