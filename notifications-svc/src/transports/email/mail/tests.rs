//! Addresses of people and of mail servers.

use lettre::transport::smtp::{authentication::Credentials, client::Tls};

use super::*;
use crate::settings::mail_server_address;

#[test]
fn a_domain_has_the_form_of_dns() {
    for (given, then) in [
        ("jana@example.com", Some("jana@example.com")),
        ("jana@EXAMPLE.com", Some("jana@example.com")),
        ("user@müller.example", Some("user@xn--mller-kva.example")),
        ("user@MÜLLER.example", Some("user@xn--mller-kva.example")),
        ("user@xn--mller-kva.example", Some("user@xn--mller-kva.example")),
        ("user@例え.テスト", Some("user@xn--r8jz45g.xn--zckzah")),
        ("jörg@müller.example", Some("jörg@xn--mller-kva.example")),
        ("jana@exa mple.com", None),
        ("jana@[192.0.2.1]", None),
        ("jana@192.0.2.1", None),
        ("jana@", None),
        ("@example.com", None),
        ("a b@example.com", None),
        ("ada\u{202e}moc@example.com", None),
        ("ada\u{2066}@example.com", None),
        ("ada\u{200b}@example.com", None),
        ("ada\u{85}@example.com", None),
        // A blank letter of Korean.
        ("ada\u{3164}@example.com", None),
        ("ada\r\nBcc: eve@example.com", None),
    ] {
        let (user, domain) = given.rsplit_once('@').expect(given);
        let address = ascii_domain(user, domain).map(|address| address.to_string());
        assert_eq!(address.as_deref(), then, "{given}");
    }
}

fn read(url: &str, password: Option<&str>) -> Result<MailServer, InvalidSmtp> {
    mail_server(&mail_server_address(url).expect(url), password.map(Into::into))
}

#[test]
fn a_mail_server_has_a_host_and_the_port_of_its_kind() {
    for (url, host, port) in [
        ("smtp://mail:1025?tls=none", "mail", 1_025),
        ("smtp://mail?tls=none", "mail", 25),
        ("smtp://mail", "mail", 587),
        ("smtp://[::1]:2525", "::1", 2_525),
        ("smtps://u@[2001:db8::7]/", "2001:db8::7", 465),
        ("smtp://192.0.2.1", "192.0.2.1", 587),
        ("smtp://m%61il", "mail", 587),
        ("smtp://bücher.example", "xn--bcher-kva.example", 587),
        ("smtp://user@mail?tls=required", "mail", 587),
        ("smtp://user@mail:25?tls=opportunistic", "mail", 25),
        ("smtps://user:secret@mail", "mail", 465),
        ("smtps://user:secret@mail?tls=required", "mail", 465),
    ] {
        let server = read(url, None).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
    }
    let tls = |url| read(url, None).map(|server| server.tls);
    assert!(matches!(tls("smtp://mail"), Ok(Tls::Required(_))), "nothing is plain by omission");
    assert!(matches!(tls("smtp://mail?tls=none"), Ok(Tls::None)));
}

#[test]
fn an_impossible_mail_server_is_refused() {
    for (url, password, then) in [
        ("smtp://mail?tls=yes", None, "must be smtps://, smtp:// (with TLS)"),
        ("smtp://mail?tls=required&tls=none", None, "must be smtps://"),
        ("smtps://mail?tls=opportunistic", None, "must be smtps://"),
        ("smtps://mail?tls=none", None, "must be smtps://"),
        ("smtp://u@mail?tls=none", Some("secret"), "does not require TLS"),
        ("smtp://u:secret@mail?tls=opportunistic", None, "does not require TLS"),
        ("smtp://%2Frun%2Fmail", None, "names a socket instead of a host"),
        ("smtp://:secret@mail", None, "names no user"),
        ("smtp://mail", Some("secret"), "names no user"),
        ("smtp://mail/bank%0d%0aQUIT", None, "is no domain and no IP address"),
    ] {
        let error = read(url, password).map(|_| ()).expect_err(url).to_string();
        assert!(error.contains(then), "{url}: {error}");
    }
}

#[test]
fn the_bank_greets_by_the_name_behind_the_host() {
    for (url, then) in [
        ("smtp://mail", ClientId::default()),
        ("smtp://mail/", ClientId::default()),
        ("smtp://mail/bank.example", ClientId::Domain("bank.example".to_owned())),
        ("smtp://mail/192.0.2.1", ClientId::Ipv4([192, 0, 2, 1].into())),
    ] {
        assert_eq!(read(url, None).expect(url).hello_name, then, "{url}");
    }
}

#[test]
fn any_password_logs_in_as_it_is() {
    let credentials = |url: &str, password: Option<&str>| {
        read(url, password).expect(url).login.credentials().expect("no file is needed")
    };
    let given =
        |user: &str, password: &str| Some(Credentials::new(user.to_owned(), password.to_owned()));
    let nasty = "a%41%ff:/?#[]@ ž";
    for (url, password, then) in [
        ("smtp://user@mail", Some(nasty), given("user", nasty)),
        ("smtp://user:other@mail", Some(nasty), given("user", nasty)),
        ("smtp://a%40b:p%2525@mail", None, given("a@b", "p%25")),
        ("smtp://user:%25%2541%40%2F%3a%23%3F@mail", None, given("user", "%%41@/:#?")),
        ("smtp://user:%C3%A1%F0%9F%98%80@mail", None, given("user", "á😀")),
        ("smtp://user@mail", None, None),
        ("smtp://mail", Some(""), None),
        ("smtp://mail", None, None),
    ] {
        assert_eq!(credentials(url, password), then, "{url}");
    }
}

#[test]
fn a_password_in_a_file_is_read_at_each_login() {
    let file = std::env::temp_dir().join(format!("smtp-{}", uuid::Uuid::now_v7()));
    std::fs::write(&file, "first").expect("a file can be written");
    let address = mail_server_address("smtp://user@mail").expect("an address");
    let server = mail_server(&address, Some(Secret::File(file.clone()))).expect("a server");
    for password in ["first", "p%41 ss@:/?#[]ü"] {
        std::fs::write(&file, format!("{password}\n")).expect("a file can be written");
        let then = Credentials::new("user".to_owned(), password.to_owned());
        assert_eq!(server.login.credentials().expect("it is readable"), Some(then));
    }
    std::fs::remove_file(&file).expect("it is there");
    assert!(server.login.credentials().is_err());
    assert!(matches!(
        mail_server(&address, Some(Secret::File(file))),
        Err(InvalidSmtp::Password(_))
    ));
}
