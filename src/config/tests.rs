//! Tests of the layers, of unknown settings and of changes while running.

use super::*;

fn load(set: &[&str], file: Option<&str>, environment: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rookery.toml");
    if let Some(text) = file {
        std::fs::write(&path, text).unwrap();
    }
    let overrides = Overrides { set: set.iter().map(ToString::to_string).collect(), ..Overrides::default() };
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load_from(&overrides, &path, environment)
}

#[test]
fn the_defaults_are_those_of_the_core() {
    let loaded = load(&[], None, &[]).unwrap();
    assert_eq!(loaded.config.limits(), rookery_core::limits::Limits::default());
    assert_eq!(loaded.values.origin("limits.frame_bytes"), Origin::Default);
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_defaults() {
    let file = Some("[limits]\nsends_per_second = 1\nsend_burst = 1\nhello_seconds = 1\n");
    let environment = [("ROOKERY_LIMITS__SEND_BURST", "2"), ("ROOKERY_LIMITS__HELLO_SECONDS", "2"), ("PATH", "/bin")];
    let loaded = load(&["limits.hello_seconds=3"], file, &environment).unwrap();
    let limits = loaded.config.limits();
    assert_eq!((limits.sends_per_second, limits.send_burst, limits.hello_seconds), (1, 2, 3));
    assert_eq!(limits.heartbeat_seconds, 25);
    assert_eq!(loaded.values.origin("limits.hello_seconds"), Origin::Flag("--set"));
    assert_eq!(loaded.values.origin("limits.send_burst"), Origin::Environment("ROOKERY_LIMITS__SEND_BURST".to_owned()));
}

#[test]
fn an_unknown_setting_is_an_error_that_names_it_and_the_nearest_one() {
    for error in [
        load(&["limits.sends_per_secnd=3"], None, &[]).unwrap_err(),
        load(&[], Some("[limits]\nsends_per_secnd = 3\n"), &[]).unwrap_err(),
        load(&[], None, &[("ROOKERY_LIMITS__SENDS_PER_SECND", "3")]).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("`limits.sends_per_secnd`") && text.contains("`limits.sends_per_second`"), "{text}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_an_error_that_names_the_setting() {
    for (set, key) in [
        ("limits.sends_per_second=many", "limits.sends_per_second"),
        ("limits.sends_per_second=0", "limits.sends_per_second"),
        ("limits.sends_per_second=-1", "limits.sends_per_second"),
        ("server.listen=nowhere", "server.listen"),
        ("auth.registration=perhaps", "auth.registration"),
        ("log.level=a=b=c", "log.level"),
        ("server.allowed_origins=https://a.example.com,null", "server.allowed_origins"),
        ("limits.body_bytes=65536", "limits.body_bytes"),
        ("server.tls_key=key.pem", "server.tls_key"),
    ] {
        let error = load(&[set], None, &[]).unwrap_err();
        assert_eq!(error.key(), Some(key), "{error}");
    }
}

#[test]
fn a_list_is_written_with_commas_or_as_in_the_file() {
    let loaded = load(&[r#"server.allowed_origins=["https://a.example.com"]"#], None, &[]).unwrap();
    assert_eq!(loaded.config.server.allowed_origins, ["https://a.example.com"]);
    let loaded = load(&["server.allowed_origins=https://a.example.com, http://127.0.0.1:3000"], None, &[]).unwrap();
    assert_eq!(loaded.config.server.allowed_origins, ["https://a.example.com", "http://127.0.0.1:3000"]);
}

#[test]
fn a_secret_comes_from_a_file_too_and_is_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "very secret words\n").unwrap();
    let path = path.display().to_string();
    let loaded = load(&[], None, &[("ROOKERY_AUTH__ADMIN_TOKEN_FILE", &path)]).unwrap();
    let token = loaded.config.auth.admin_token.clone().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&token), "very secret words");
    let shown = format!("{:?} {:?}", loaded.config, Live::new(loaded.clone()).listing());
    assert!(!shown.contains("very secret words"));
}

#[test]
fn the_template_holds_every_setting_and_can_be_read() {
    let template = Config::template();
    let read = template.lines().map(|line| line.strip_prefix('#').unwrap_or(line));
    for (key, _, _) in Values::default().listing() {
        let name = key.rsplit('.').next().unwrap();
        assert!(read.clone().any(|line| line.starts_with(&format!("{name} ="))), "{key}");
    }
    assert!(load(&[], Some(&template), &[]).is_ok());
}

#[test]
fn what_may_change_changes_for_everybody_and_the_rest_stays() {
    let live = Live::new(load(&[], None, &[]).unwrap());
    let (send, told) = std::sync::mpsc::channel();
    live.on_change(move |config| send.send(config.log.level.clone()).unwrap());
    let change =
        |text: &str| live.change(serde_json::from_str::<serde_json::Value>(text).unwrap().as_object().unwrap());

    change(r#"{"limits.sends_per_second": 50, "log.level": "debug"}"#).unwrap();
    assert_eq!(live.limits().sends_per_second, 50);
    assert_eq!(told.try_recv().unwrap(), "debug");
    let items = live.listing();
    let item = items.iter().find(|item| item.key == "limits.sends_per_second").unwrap();
    assert_eq!((item.origin.as_str(), item.changeable, &item.value), ("admin", true, &serde_json::json!(50)));

    for (text, key) in [
        (r#"{"limits.sends_per_second": 7, "server.data": "elsewhere"}"#, "server.data"),
        (r#"{"limits.sends_per_second": 7, "limits.nothing": 1}"#, "limits.nothing"),
        (r#"{"limits.sends_per_second": 7, "limits.send_burst": "x"}"#, "limits.send_burst"),
        (r#"{"limits.sends_per_second": 7, "limits.send_burst": null}"#, "limits.send_burst"),
    ] {
        assert_eq!(change(text).unwrap_err().key(), Some(key), "{text}");
        assert_eq!(live.limits().sends_per_second, 50, "nothing of a refused change stays");
    }
    assert!(told.try_recv().is_err());
}
