//! `rookery cluster`: what it writes, what it does not overwrite, and what a node says that does not fit its files.

use std::os::unix::fs::PermissionsExt as _;

use super::node::{Files, overwrite, rookery};

fn failed(arguments: &[&str], why: &str) {
    let output = rookery(arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} should have failed");
    assert!(told.contains(why), "{arguments:?} says {told:?}, and not {why:?}");
}

#[test]
fn only_the_owner_may_read_what_is_written() {
    let files = Files::make("birds", &["n1"]);
    for folder in ["authority", "n1"] {
        let entries: Vec<_> = std::fs::read_dir(files.of(folder)).unwrap().map(Result::unwrap).collect();
        assert!(entries.len() >= 3);
        for entry in entries {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.path());
        }
    }
    assert!(!files.of("n1").join("authority.key").exists(), "a node cannot make nodes");
}

#[test]
fn nothing_is_overwritten_and_bad_names_are_told() {
    let files = Files::make("birds", &["n1"]);
    let (authority, n1, n2) = (files.path("authority"), files.path("n1"), files.path("n2"));
    failed(&["cluster", "init", "--out", &authority, "--name", "bees"], "nothing was overwritten");
    let node = |id: &'static str, host: &'static str, out: String| {
        ["cluster", "node", "--ca", &authority, "--id", id, "--host", host, "--out", &out].map(str::to_owned)
    };
    let failed_node = |id, host, out: &str, why| {
        let arguments = node(id, host, out.to_owned());
        failed(&arguments.each_ref().map(String::as_str), why);
    };
    failed_node("n1", "127.0.0.1", &n1, "nothing was overwritten");
    failed_node("N1", "127.0.0.1", &n2, "letters a–z");
    failed_node("n2", "not a host", &n2, "neither a host name nor an address");
    failed(&["cluster", "init", "--out", &files.path("x"), "--name", "The Birds"], "secret");
    failed(&["cluster", "node", "--ca", &n1, "--id", "n2", "--host", "h", "--out", &n2], "authority.key");
    assert!(!files.of("n2").join("key.pem").exists());
}

/// What the command prints is what the node's configuration needs.
#[test]
fn the_printed_settings_are_taken_by_a_node() {
    let files = Files::make("birds", &[]);
    let (authority, out) = (files.path("authority"), files.path("n1"));
    let arguments = ["cluster", "node", "--ca", &authority, "--id", "n1", "--host", "10.0.0.1", "--out", &out];
    let printed = String::from_utf8(rookery(&arguments).stdout).unwrap();
    let file = files.of("rookery.toml");
    std::fs::write(&file, &printed).unwrap();
    let file = file.display().to_string();
    let output = rookery(&["config", "print", "--config", &file]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    assert!(shown.contains("10.0.0.1:8082"), "{shown}");
    let secret = files.secret().reveal();
    assert!(!shown.contains(&secret) && !printed.contains(&secret), "secrets are not shown");
}

#[test]
fn a_node_whose_files_do_not_fit_says_which_and_ends() {
    let files = Files::make("birds", &["n1"]);
    let bees = Files::make("bees", &["n1"]);
    let setting = |key: &str, value: String| ["--set".to_owned(), format!("cluster.{key}={value}")];
    let file = |files: &Files, name: &str| files.of("n1").join(name).display().to_string();
    let start = |changed: &str, value: Option<String>, why: &str| {
        let mut all = vec![
            ("node", Some("n1".to_owned())),
            ("listen", Some("127.0.0.1:0".to_owned())),
            ("authority", Some(file(&files, "authority.pem"))),
            ("certificate", Some(file(&files, "certificate.pem"))),
            ("key", Some(file(&files, "key.pem"))),
            ("secret_file", Some(file(&files, "secret"))),
        ];
        all.iter_mut().filter(|(key, _)| *key == changed).for_each(|(_, old)| old.clone_from(&value));
        let set = all.into_iter().filter_map(|(key, value)| Some(setting(key, value?))).flatten();
        let arguments: Vec<String> = ["cluster", "probe"].map(str::to_owned).into_iter().chain(set).collect();
        failed(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), why);
    };
    for (key, named) in [
        ("certificate", "cluster.certificate"),
        ("key", "cluster.key"),
        ("authority", "cluster.authority"),
        ("secret_file", "cluster.secret"),
    ] {
        start(key, None, named);
    }
    start("node", Some("n2".to_owned()), "not for node `n2`");
    start("node", Some("N 1".to_owned()), "cluster.node");
    start("key", Some(file(&bees, "key.pem")), "the node's certificate");
    start("secret_file", Some(file(&bees, "secret")), "cluster `bees`");
    start("certificate", Some(file(&files, "secret")), "holds no certificate");
    start("listen", Some("0.0.0.0:0".to_owned()), "cluster.advertise");
    overwrite(&files.of("n1").join("secret"), b"birds.tooshort");
    start("none", None, "cluster.secret");
}
