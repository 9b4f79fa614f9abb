//! `rookery user`, `config`, `health`, `migrate` and what the command line refuses.

use serde_json::json;

use crate::support::person::PASSWORD;
use crate::support::process::{Server, Setup, rookery, write};

#[tokio::test]
async fn users_are_added_listed_given_passwords_and_disabled_while_the_server_is_stopped() {
    let setup = Setup::new();
    let data = setup.data().display().to_string();
    let cheap = ["--set", "auth.password_memory_kib=64", "--set", "auth.password_passes=1"];
    let user = async |arguments: &[&str], input: &str| {
        let mut all = vec!["user"];
        all.extend(arguments);
        all.extend(["--data", &data]);
        all.extend(cheap);
        let (code, out, error) = rookery(&all, input).await;
        assert_eq!(code, 0, "{arguments:?}: {out}{error}");
        out
    };
    user(&["add", "anna", "--password-stdin"], &format!("{PASSWORD}\n")).await;
    user(&["add", "olga", "--password", PASSWORD, "--admin"], "").await;
    user(&["add", "carl", "--password", PASSWORD], "").await;
    user(&["disable", "carl"], "").await;
    user(&["passwd", "anna", "--password-stdin"], "a-new-password-7\n").await;
    let list = user(&["list"], "").await;
    for handle in ["anna", "olga", "carl"] {
        assert!(list.contains(handle), "{list}");
    }
    assert!(!list.contains(PASSWORD) && !list.contains("argon2"), "{list}");
    let server = setup.start().await;
    let login = async |handle: &str, password: &str| {
        server.anonymous().post("/logins", json!({"login": handle, "password": password})).await
    };
    login("anna", PASSWORD).await.refused(401, "unauthenticated");
    login("anna", "a-new-password-7").await.body(201);
    login("carl", PASSWORD).await.refused(401, "unauthenticated");
    let olga = login("olga", PASSWORD).await.body(201);
    let admin = server.administrator().with_token(olga["token"].as_str().unwrap());
    admin.get("/overview").await.body(200);
}

#[tokio::test]
async fn a_user_that_exists_and_a_bad_password_are_refused() {
    let setup = Setup::new();
    let data = setup.data().display().to_string();
    let add = async |handle: &str, password: &str| {
        rookery(&["user", "add", handle, "--password", password, "--data", &data], "").await
    };
    assert_eq!(add("anna", PASSWORD).await.0, 0);
    for (handle, password) in [("anna", PASSWORD), ("bert", "short"), ("b", PASSWORD), ("admin", PASSWORD)] {
        let (code, _, error) = add(handle, password).await;
        assert!(code != 0 && !error.is_empty(), "{handle}: {error}");
        assert!(!error.contains("panicked"), "{error}");
    }
}

#[tokio::test]
async fn the_configuration_is_printed_with_defaults_and_flags() {
    let (code, out, error) = rookery(&["config", "print"], "").await;
    assert_eq!(code, 0, "{error}");
    for setting in ["password_memory_kib", "sends_per_second", "commit_millis", "idle_seconds", "19456"] {
        assert!(out.contains(setting), "{setting} is in {out}");
    }
    let (_, out, _) = rookery(&["config", "print", "--set", "limits.sends_per_second=4321"], "").await;
    assert!(out.contains("4321"), "{out}");
}

#[tokio::test]
async fn a_wrong_setting_is_named_wherever_it_stands() {
    let setup = Setup::new();
    let data = setup.data().display().to_string();
    let file = setup.beside("rookery.toml");
    let path = file.display().to_string();
    write(&file, "[limits]\nsends_per_second = 5\n");
    let (code, out, error) = rookery(&["config", "check", "--config", &path], "").await;
    assert_eq!(code, 0, "{out}{error}");
    let bad = ["[limits]\ncolour = 1\n", "[limits]\nsends_per_second = \"many\"\n", "[limits\n", "colour = 1\n"];
    let named = ["colour", "sends_per_second", "", "colour"];
    for (content, name) in bad.into_iter().zip(named) {
        write(&file, content);
        for command in [vec!["config", "check"], vec!["serve", "--listen", "127.0.0.1:0", "--data", &data]] {
            let mut arguments = command;
            arguments.extend(["--config", &path]);
            let (code, out, error) = rookery(&arguments, "").await;
            assert_eq!(code, 78, "{content:?}: {out}{error}");
            assert!(format!("{out}{error}").contains(name), "it names {name:?}: {out}{error}");
        }
    }
    for setting in ["limits.colour=1", "colour.limits=1", "limits.sends_per_second=many"] {
        let (code, out, error) = rookery(&["config", "check", "--set", setting], "").await;
        assert_eq!(code, 78, "{setting}: {out}{error}");
        let key = setting.split('=').next().unwrap();
        let name = key.rsplit('.').next().unwrap();
        let named = format!("{out}{error}");
        assert!(named.contains(key) || named.contains(name), "{setting}: {named}");
    }
    let (code, _, error) = rookery(&["castle"], "").await;
    assert_eq!(code, 2, "{error}");
}

#[tokio::test]
async fn environment_and_file_are_read_and_flags_win() {
    let setup = Setup::new().environment("ROOKERY_LIMITS__BODY_BYTES", "1000");
    let setup = setup.environment("ROOKERY_LIMITS__FRAME_BYTES", "9000").set("limits.frame_bytes", 8192);
    let server = setup.start().await;
    let (_, welcome) = server.person("anna").await.resume(json!({})).await;
    assert_eq!((&welcome["limits"]["body"], &welcome["limits"]["frame"]), (&json!(1000), &json!(8192)));
    let unknown = Setup::new().data().display().to_string();
    let child = tokio::process::Command::new(env!("CARGO_BIN_EXE_rookery"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data", &unknown])
        .env("ROOKERY_LIMITS__COLOUR", "1")
        .kill_on_drop(true)
        .output();
    let output = crate::support::within("the refusal", child).await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{error}");
    assert!(error.to_lowercase().contains("colour"), "{error}");
}

#[tokio::test]
async fn health_follows_the_server() {
    let mut server = Server::start().await;
    let url = server.url.clone();
    let (code, out, error) = rookery(&["health", "--url", &url], "").await;
    assert_eq!(code, 0, "{out}{error}");
    server.kill();
    let (code, _, _) = rookery(&["health", "--url", &url], "").await;
    assert_ne!(code, 0);
}

#[tokio::test]
async fn operators_look_after_a_running_server() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let token = server.token_file.display().to_string();
    let admin = async |arguments: &[&str]| {
        let mut all = vec!["admin", "--admin-url", &server.admin, "--token-file", &token];
        all.extend(arguments);
        let (code, out, error) = rookery(&all, "").await;
        assert_eq!(code, 0, "{arguments:?}: {out}{error}");
        out
    };
    let overview: serde_json::Value = serde_json::from_str(&admin(&["overview", "--json"]).await).unwrap();
    assert_eq!((&overview["users"], &overview["rooms"]), (&json!(2), &json!(1)));
    assert!(admin(&["users", "ann"]).await.contains("anna"));
    assert!(admin(&["rooms", "tea"]).await.contains("tea"));
    admin(&["announce", &room, "closing at ten"]).await;
    assert_eq!(anna.log(&room).await.last().unwrap()["text"], "closing at ten");
    admin(&["disable", &bert.id]).await;
    bert.rest.get("/me").await.refused(401, "unauthenticated");
    admin(&["set", "limits.body_bytes=1000"]).await;
    assert!(admin(&["config"]).await.contains("1000"));
    assert!(admin(&["audit"]).await.contains(&bert.id));
    admin(&["delete-room", &room]).await;
    assert!(anna.rest.list("/rooms").await.is_empty());
    let wrong = ["admin", "--admin-url", &server.admin, "--token", "nonsense", "overview"];
    let (code, out, error) = rookery(&wrong, "").await;
    assert!(code != 0 && !error.is_empty(), "{out}{error}");
}

#[tokio::test]
async fn migrations_run_alone_and_twice() {
    let setup = Setup::new();
    let data = setup.data().display().to_string();
    for _ in 0..2 {
        let (code, out, error) = rookery(&["migrate", "--data", &data], "").await;
        assert_eq!(code, 0, "{out}{error}");
    }
    let server = setup.start().await;
    server.person("anna").await;
}

#[tokio::test]
async fn the_first_lines_say_where_everything_is() {
    let server = Server::start().await;
    let lines = &server.announced;
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[0], "rookery 0.1.0 ready");
    assert!(server.url.starts_with("http://127.0.0.1:") && server.admin.starts_with("http://127.0.0.1:"));
    assert_eq!(server.token_file, server.data().join("admin.token"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&server.token_file).unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "only the owner reads the token");
    let token = std::fs::read_to_string(&server.token_file).unwrap();
    let server = server.kill_and_restart().await;
    assert_eq!(std::fs::read_to_string(&server.token_file).unwrap(), token, "it stays");
    let command = std::fs::read(format!("/proc/{}/cmdline", server.process_id())).unwrap();
    assert!(!String::from_utf8_lossy(&command).contains(token.trim()), "secrets are not on the command line");
}

#[tokio::test]
async fn two_servers_do_not_share_a_data_folder() {
    let server = Server::start().await;
    let data = server.setup().data().display().to_string();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data", &data];
    let (code, out, error) = rookery(&arguments, "").await;
    assert!(code != 0 && !out.contains("ready"), "{out}{error}");
    server.person("anna").await;
}
