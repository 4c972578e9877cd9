//! Addresses of people and of mail servers.

use lettre::transport::smtp::client::Tls;

use super::*;

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
    ] {
        let (user, domain) = given.rsplit_once('@').expect(given);
        let address = ascii_domain(user, domain).map(|address| address.to_string());
        assert_eq!(address.as_deref(), then, "{given}");
    }
}

#[test]
fn a_mail_server_has_a_host_and_the_port_of_its_kind() {
    let read = |url: &str| mail_server(&Url::parse(url).expect(url), None);
    for (url, host, port) in [
        ("smtp://mail:1025", "mail", 1_025),
        ("smtp://mail", "mail", 25),
        ("smtp://[::1]:2525", "::1", 2_525),
        ("smtp://192.0.2.1", "192.0.2.1", 25),
        ("smtp://user@mail?tls=required", "mail", 587),
        ("smtp://user@mail:25?tls=opportunistic", "mail", 25),
        ("smtps://user:secret@mail", "mail", 465),
    ] {
        let server = read(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
    }
    assert!(matches!(read("smtp:mail"), Err(InvalidSmtp::NoHost)));
    assert!(matches!(read("http://mail"), Err(InvalidSmtp::Kind)));
    assert!(matches!(read("smtp://mail?tls=yes"), Err(InvalidSmtp::Kind)));
    assert!(matches!(read("smtp://mail").map(|server| server.tls), Ok(Tls::None)));
}

#[test]
fn any_password_logs_in_as_it_is() {
    let credentials = |url: &str, password: Option<&str>| {
        let server = mail_server(&Url::parse(url).expect(url), password.map(str::to_owned));
        server.expect(url).credentials
    };
    let given =
        |user: &str, password: &str| Some(Credentials::new(user.to_owned(), password.to_owned()));
    let nasty = "a%41%ff:/?#[]@ ž";
    assert_eq!(credentials("smtp://user@mail", Some(nasty)), given("user", nasty));
    assert_eq!(credentials("smtp://a%40b:p%2525@mail", None), given("a@b", "p%25"));
    assert_eq!(credentials("smtp://mail", None), None);
}
