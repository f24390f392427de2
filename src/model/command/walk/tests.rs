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

/// What the tools' own documentation says of their sub-commands; the names of the pages stand in the catalog.
#[test]
fn sub_commands_as_their_manuals_have_them() {
    let mut wrong = Vec::new();
    for (text, what) in [
        // apt-get(8), apt(8), aptitude(8)
        ("apt-get dist-upgrade -y; apt-get autoremove --purge -y; apt-get build-dep x", "apt Upgrade; apt Remove; apt Install x"),
        ("apt-get -o Acquire::Retries=3 --no-install-recommends -t bookworm-backports install a b/sid", "apt Install a b/sid"),
        ("aptitude -y safe-upgrade && aptitude install -R x", "apt Upgrade; apt Install x"),
        ("apt list --installed; apt-cache policy x; apt-mark hold x", "apt Other list; apt Other; apt Other"),
        // apk(8)
        (
            "apk update; apk upgrade -U; apk fetch x; apk cache clean; apk info -e x",
            "apk Update; apk Upgrade; apk Download x; apk Clean clean; apk Other info x",
        ),
        ("apk add -q --virtual=.d a=1.2-r0 b@edge; apk del --purge .d", "apk Install a=1.2-r0 b@edge; apk Remove .d"),
        // yum(8), dnf(8), microdnf(8), tdnf(8)
        (
            "yum makecache fast; yum -y localinstall x.rpm; yum groupinstall -y 'Development Tools'",
            "yum Update fast; yum Install x.rpm; yum Install 'Development Tools'",
        ),
        (
            "dnf -y module enable x; dnf -y builddep y; dnf -y autoremove; dnf config-manager --set-enabled z",
            "dnf Other module enable x; dnf Install y; dnf Remove; dnf Other config-manager z",
        ),
        (
            "dnf5 group install a; tdnf update -y; microdnf remove b; dnf clean metadata",
            "dnf Install a; dnf Upgrade; dnf Remove b; dnf Clean metadata",
        ),
        // zypper(8), pacman(8)
        (
            "zypper --gpg-auto-import-keys ref; zypper -n up; zypper in -y --no-recommends a; zypper rm b; zypper clean -a",
            "zypper Update; zypper Upgrade; zypper Install a; zypper Remove b; zypper Clean",
        ),
        (
            "zypper addrepo u n; zypper dup -y; zypper patch; zypper si x",
            "zypper Other addrepo u n; zypper Upgrade; zypper Upgrade; zypper Install x",
        ),
        (
            "pacman -S --needed --noconfirm a b; pacman -Rns c; pacman -Scc; pacman -Q",
            "pacman Install a b; pacman Remove c; pacman Clean; pacman Other",
        ),
        // pip.pypa.io
        (
            "pip3 install -U pip setuptools; python3 -m pip install -r a.txt; pip wheel -w /w -r b.txt; pip download x",
            "pip Install pip setuptools; pip Install < a.txt; build pip; pip Download x",
        ),
        (
            "pip uninstall -y x; pip cache purge; pip list; pip check; pip freeze",
            "pip Remove x; Clean; pip Other list; pip Other check; pip Other freeze",
        ),
        ("pip install --prefix=/p --find-links /w 'a[b]>=1' git+https://h/x ./local", "pip Install 'a[b]>=1' git+https://h/x ./local"),
        // docs.astral.sh/uv
        (
            "uv sync --frozen --no-dev; uv pip install --system -r r.txt; uv pip sync r.txt; uv tool install ruff",
            "uv Install; uv Install < r.txt; uv Install r.txt; uv Install ruff",
        ),
        (
            "uv venv /v; uv lock; uv export -o r.txt; uv run x; uv cache clean; uv python install 3.12; uv build",
            "uv Other venv /v; uv Other lock; uv Other export r.txt; uv Run x; Clean; uv Install 3.12; build uv",
        ),
        // python-poetry.org, pipenv.pypa.io, docs.conda.io
        (
            "poetry install --no-root --only main; poetry add x; poetry export -f requirements.txt -o r.txt; poetry config virtualenvs.create false",
            "poetry Install; poetry Install x; poetry Other export; poetry Other config virtualenvs.create false",
        ),
        (
            "poetry lock; poetry build; poetry run pytest; poetry cache clear pypi --all; poetry update",
            "poetry Other lock; build poetry; poetry Run pytest; Clean; poetry Install",
        ),
        (
            "pipenv install --system --deploy; pipenv sync; pipenv lock -r; pipenv run x; pipenv uninstall y",
            "pipenv Install; pipenv Install; pipenv Other lock; pipenv Run x; pipenv Remove y",
        ),
        (
            "conda install -y -c conda-forge a=1; conda env create -f e.yml; conda create -n x python=3; conda clean -afy; mamba update b",
            "conda Install a=1; conda Install < e.yml; conda Install python=3; Clean; conda Install b",
        ),
        (
            "conda config --add channels x; conda init bash; micromamba install -y -n base -f e.yml",
            "conda Other config channels x; conda Other init bash; conda Install < e.yml",
        ),
        // docs.npmjs.com
        (
            "npm ci --omit=dev; npm i -g a@1; npm install --save-dev b; npm run build -- --prod; npm test; npm prune --production",
            "npm Install; npm Install a@1; npm Install b; npm Run build; Test; npm Remove",
        ),
        (
            "npm config set x y; npm rebuild; npm exec z; npm cache clean --force; npm link; npm pack; npm start",
            "npm Other config set x y; build npm; npm Run z; Clean; npm Install; npm Other pack; npm Run",
        ),
        // classic.yarnpkg.com, yarnpkg.com
        (
            "yarn; yarn install --frozen-lockfile; yarn add x; yarn global add y; yarn build; yarn cache clean; yarn test",
            "yarn Install; yarn Install; yarn Install x; yarn Install y; yarn Run build; Clean; Test",
        ),
        (
            "yarn set version berry; yarn workspaces focus --production; yarn dlx x; yarn plugin import p; yarn up y; yarn remove z",
            "yarn Other version berry; yarn Install; yarn Run x; yarn Other import p; yarn Install y; yarn Remove z",
        ),
        // pnpm.io, nodejs.org/api/corepack
        (
            "pnpm fetch --prod; pnpm install -r --offline; pnpm i; pnpm build; pnpm add x; pnpm -r run y; pnpm prune --prod; pnpm store prune; pnpm deploy d",
            "pnpm Download; pnpm Install; pnpm Install; pnpm Run build; pnpm Install x; pnpm Run y; pnpm Remove; Clean; pnpm Other d",
        ),
        (
            "corepack enable; corepack prepare pnpm@8 --activate; corepack use yarn@4; corepack install",
            "corepack Other; corepack Install pnpm@8; corepack Install yarn@4; corepack Install",
        ),
        // go.dev/ref/mod, pkg.go.dev/cmd/go
        (
            "go mod download; go build -o /a ./cmd/a; go install ./...; go get -d x; go install a/b@v1; go test ./...; go vet; go generate",
            "go Download; build go; build go; go Install x; go Install a/b@v1; Test; Test; build go",
        ),
        (
            "go mod vendor; go mod tidy; go env -w A=b; go clean -modcache; go run .; go work sync; go version",
            "go Download; go Download; go Other A=b; Clean; go Run .; go Download; go Other",
        ),
        // doc.rust-lang.org/cargo
        (
            "cargo build --release --locked; cargo fetch; cargo install --path . --root /o; cargo install x --version 1; cargo test; cargo clippy; cargo run; cargo clean",
            "build cargo; cargo Download; cargo Install .; cargo Install x; Test; Test; cargo Run; Clean",
        ),
        (
            "cargo chef prepare --recipe-path r.json; cargo chef cook --release; cargo vendor; cargo init; cargo +nightly build",
            "cargo Other; build cargo; cargo Download; cargo Other; build cargo",
        ),
        // bundler.io, guides.rubygems.org
        (
            "bundle install --without dev -j4; bundle; bundle config set --local path x; bundle exec rake a; bundle package; bundle clean --force",
            "bundle Install; bundle Install; bundle Other set path x; bundle Run rake a; bundle Download; Clean",
        ),
        (
            "gem install -N bundler -v 2.1; gem update --system; gem uninstall x; gem build a.gemspec; gem cleanup; gem sources -c",
            "gem Install bundler; gem Install; gem Remove x; build gem; gem Remove; gem Other sources",
        ),
        // getcomposer.org
        (
            "composer install --no-dev -o; composer require a/b; composer dump-autoload -o; composer global require x; composer clear-cache; composer create-project p; php composer.phar update",
            "composer Install; composer Install a/b; build composer; composer Install x; Clean; composer Install p; composer Install",
        ),
        (
            "composer config x y; composer run-script z; composer self-update; composer validate",
            "composer Other x y; composer Run z; composer Other self-update; Test",
        ),
        // maven.apache.org, docs.gradle.org
        (
            "mvn package -DskipTests; ./mvnw -B verify; mvn dependency:go-offline; mvn clean install; mvn test; mvn spring-boot:run; mvn -v",
            "build maven; build maven; maven Download; build maven; Test; maven Run spring-boot:run; maven Other",
        ),
        (
            "gradle build -x test; ./gradlew bootJar; gradle dependencies; gradle test; gradle clean; gradle --version; sh gradlew assemble",
            "build gradle; build gradle; gradle Download; Test; build gradle; gradle Other; build gradle",
        ),
        // learn.microsoft.com/dotnet/core/tools
        (
            "dotnet restore; dotnet build -c Release --no-restore; dotnet publish a.csproj -o /o; dotnet test; dotnet tool install -g x; dotnet run; dotnet nuget locals all --clear; dotnet --info",
            "dotnet Download; build dotnet; build dotnet; Test; dotnet Install x; dotnet Run; Clean; dotnet Other",
        ),
        (
            "dotnet add package x; dotnet workload restore; dotnet clean; dotnet new y; dotnet nuget add source u",
            "dotnet Install package x; dotnet Install; Clean; dotnet Other y; dotnet Other source u",
        ),
        // hexdocs.pm/mix, rebar3.org
        (
            "mix local.hex --force; mix deps.get; mix deps.compile; mix compile; mix release; mix test; mix assets.deploy; mix ecto.migrate; mix do a, b",
            "mix Install; mix Download; build mix; build mix; build mix; Test; build mix; mix Run ecto.migrate; mix Run a, b",
        ),
        (
            "rebar3 get-deps; rebar3 as prod release; rebar3 ct; rebar3 compile; rebar3 shell",
            "rebar3 Download; build rebar3; Test; build rebar3; rebar3 Run shell",
        ),
    ] {
        let got = short(text);
        if got != what {
            wrong.push(format!("{text}\n  is   {got}\n  not  {what}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a body sets is what its commands are spelled with.
#[test]
fn variables_of_the_body() {
    for (text, what) in [
        ("I='apt-get install -y'; $I git", "Shell; apt Install git"),
        ("export P=pip && $P install x", "Shell; pip Install x"),
        ("if a; then I=npm; fi; $I ci", "Unknown; Shell; Unknown"),
        ("I=npm; unset I; $I ci", "Shell; Shell; Unknown"),
        ("node --version && java -version && x --version y", "Shell; Shell; Unknown"),
        ("if [[ -f a ]]; then make; fi", "Shell; build make"),
    ] {
        assert_eq!(short(text), what, "{text}");
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

#[test]
fn installers_are_known_by_their_address() {
    for (text, what) in [
        ("curl -fsSL https://deb.nodesource.com/setup_20.x | sudo -E bash -", "Download; Setup { of: \"apt\" }"),
        ("curl -sS https://getcomposer.org/installer | php -- --install-dir=/usr/bin", "Download; Setup { of: \"composer\" }"),
        ("wget -qO- \"https://sh.rustup.rs\" | sh -s -- -y", "Download; Setup { of: \"rustup\" }"),
        ("curl -L cpanmin.us | perl - App::cpanminus", "Download; Setup { of: \"perl\" }"),
        ("curl -sL https://deb.nodesource.com/setup_8.x -o n.sh && bash n.sh", "Download; Setup { of: \"apt\" }"),
        ("curl -sL https://deb.nodesource.com/setup_8.x > /tmp/n.sh; bash -x /tmp/n.sh", "Download; Setup { of: \"apt\" }"),
        (
            "wget https://dot.net/v1/dotnet-install.sh && chmod +x dotnet-install.sh && ./dotnet-install.sh",
            "Download; file dotnet-install.sh <; Setup { of: \"dotnet\" }",
        ),
        ("sh -c \"$(curl -fsSL https://get.docker.com)\"", "Setup { of: \"docker\" }"),
        (
            "php -r \"copy('https://getcomposer.org/installer', 'c.php');\" && php c.php",
            "Setup { of: \"composer\" }; Setup { of: \"composer\" }",
        ),
        (
            "python3 -m ensurepip; . /venv/bin/activate; . /etc/os-release",
            "get-pip Install; Setup { of: \"virtualenv\" }; Setup { of: \"shell\" }",
        ),
        // What nobody vouches for is not known.
        ("curl https://example.org/x.sh | bash", "Download; Unknown"),
        ("curl https://deb.nodesource.com/setup_20.x | bash ./other.sh", "Download; Unknown"),
        ("curl https://deb.nodesource.com/setup_20.x | cat; bash", "Download; file <; Unknown"),
        ("curl -sL https://deb.nodesource.com/setup_8.x -o n.sh && bash m.sh", "Download; Unknown"),
        (". ./setup.sh; ./x -h; x -h", "Unknown; Unknown; Shell"),
    ] {
        assert_eq!(short(text), what, "{text}");
    }
}

#[test]
fn variables_hold_as_long_as_the_shell_that_set_them() {
    for (text, what) in [
        ("X=apt-get; $X install a", "Shell; apt Install a"),
        ("X=apt-get; (X=pip); $X install a", "Shell; Shell; apt Install a"),
        ("(X=apt-get); $X install a", "Shell; Unknown"),
        ("X=apt-get | :; $X install a", "Shell; Shell; Unknown"),
        ("sh -c 'X=pip'; $X install a", "Shell; Unknown"),
        ("X=pip && $X install a", "Shell; pip Install a"),
        ("a && X=pip; $X install a", "Unknown; Shell; Unknown"),
        ("X=pip; if a; then X=npm; fi; $X install b", "Shell; Unknown; Shell; Unknown"),
        ("if a; then export X=pip; fi; $X install b", "Unknown; Shell; Unknown"),
        ("for X in pip npm; do :; done; $X install a", "Shell; Unknown"),
        ("X=pip; while a; do $X install b; X=npm; done", "Shell; Unknown; Unknown; Shell"),
        ("export \"X=apt-get install\"; $X a", "Shell; apt Install a"),
        ("X=pip; export \"X=$(b)\"; $X install a", "Shell; Shell; Unknown"),
    ] {
        assert_eq!(short(text), what, "{text}");
    }
}
