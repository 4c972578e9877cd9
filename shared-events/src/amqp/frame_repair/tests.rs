//! The repair against the driver's parser. Promise: every repaired frame is parsed, at any depth
//! and on a small stack; a valid frame is not changed.

use std::{hint::black_box, io::Write, thread, time::Instant};

use amq_protocol::{
    frame::{AMQPFrame, parsing::parse_frame},
    protocol::{AMQPClass, basic::AMQPMethod},
};
use lapin::types::{AMQPValue, FieldTable};
use proptest::{collection::vec, prelude::*};

use super::{FRAME_BYTES_MAX, FrameRepair, SUBSTITUTE, fields::DEPTH_MAX, repaired_property};

const FRAME_END: u8 = 0xce;
/// The stack of the smallest threads.
const SMALL_STACK_BYTES: usize = 128 * 1024;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("small").to_be_bytes();
    [&[kind, 0, 1], &size[..], payload, &[FRAME_END]].concat()
}

fn short(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short");
    [&[length], text].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("small").to_be_bytes();
    [&length, bytes].concat()
}

/// Properties of a message: the flags, and the fields behind them.
fn content_header(flags: u16, fields: &[u8]) -> Vec<u8> {
    let (class, weight, size) = (60_u16.to_be_bytes(), [0; 2], [0; 8]);
    frame(2, &[&class, &weight, &size[..], &flags.to_be_bytes(), fields].concat())
}

/// All fourteen properties: the texts, and the entries of the headers.
fn all_properties(texts: &[Vec<u8>], entries: &[u8]) -> Vec<u8> {
    let text = |at: usize| short(&texts[at]);
    let begin = [text(0), text(1), long(entries), vec![2, 0]].concat();
    let middle = [text(2), text(3), text(4), text(5), vec![0; 8]].concat();
    content_header(0xfffc, &[begin, middle, text(6), text(7), text(8), text(9)].concat())
}

fn deliver(tag: &[u8], exchange: &[u8], key: &[u8]) -> Vec<u8> {
    let (method, delivery) = ([0, 60, 0, 60], [7; 9]);
    frame(1, &[&method[..], &short(tag), &delivery, &short(exchange), &short(key)].concat())
}

fn repaired(mut bytes: Vec<u8>) -> Vec<u8> {
    let whole = bytes.len();
    assert_eq!(FrameRepair::default().repair(&mut bytes), whole, "nothing is held of whole frames");
    bytes
}

fn parse(bytes: &[u8]) -> AMQPFrame {
    let (rest, frame) = parse_frame(bytes).expect("a repaired frame is parsed");
    assert!(rest.is_empty(), "{} bytes are left", rest.len());
    frame
}

fn properties(bytes: &[u8]) -> lapin::BasicProperties {
    match parse(bytes) {
        AMQPFrame::Header(_, header) => header.properties,
        other => panic!("no header: {other:?}"),
    }
}

/// A value of a table with its tag: any type, any bytes, tables and arrays in it.
fn any_value(text: impl Strategy<Value = Vec<u8>> + Clone + 'static) -> BoxedStrategy<Vec<u8>> {
    let tagged = |tag: u8, bytes: Vec<u8>| [vec![tag], bytes].concat();
    let sized = prop_oneof![
        Just((b'V', 0)),
        prop::sample::select(b"tbB".to_vec()).prop_map(|tag| (tag, 1)),
        prop::sample::select(b"suU".to_vec()).prop_map(|tag| (tag, 2)),
        prop::sample::select(b"Iif".to_vec()).prop_map(|tag| (tag, 4)),
        Just((b'D', 5)),
        prop::sample::select(b"LldT".to_vec()).prop_map(|tag| (tag, 8)),
    ];
    let leaf = prop_oneof![
        (sized, any::<[u8; 8]>())
            .prop_map(move |((tag, count), bytes)| tagged(tag, bytes[..count].to_vec())),
        (prop::sample::select(b"Sx".to_vec()), vec(any::<u8>(), 0..20))
            .prop_map(move |(tag, bytes)| tagged(tag, long(&bytes))),
    ];
    let in_table = move |value: BoxedStrategy<Vec<u8>>| {
        let entry = (text.clone(), value.clone())
            .prop_map(|(key, value)| [short(&key[..key.len().min(255)]), value].concat());
        prop_oneof![
            vec(entry, 0..4).prop_map(move |entries| tagged(b'F', long(&entries.concat()))),
            vec(value, 0..4).prop_map(move |values| tagged(b'A', long(&values.concat()))),
        ]
    };
    leaf.prop_recursive(12, 64, 4, in_table).boxed()
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> + Clone {
    vec(any::<u8>(), 0..40)
}

fn any_text() -> impl Strategy<Value = Vec<u8>> + Clone {
    "[a-zá-žа-я日😀]{0,12}".prop_map(String::into_bytes)
}

/// The headers of a message: entries with these keys and values.
fn entries(keys: &[Vec<u8>], values: &[Vec<u8>]) -> Vec<u8> {
    let entry = |(key, value): (&Vec<u8>, &Vec<u8>)| [short(key), value.clone()].concat();
    keys.iter().zip(values).flat_map(entry).collect()
}

/// How deep tables and arrays are nested in a value, the value itself included.
fn depth(value: &AMQPValue) -> u8 {
    let below = match value {
        AMQPValue::FieldTable(table) => table.into_iter().map(|(_, value)| depth(value)).max(),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(depth).max(),
        _ => return 0,
    };
    1 + below.unwrap_or(0)
}

proptest! {
    #[test]
    fn any_bytes_in_any_text_are_parsed_and_known(
        texts in vec(any_bytes(), 10),
        keys in vec(any_bytes(), 0..5),
        values in vec(any_value(any_bytes()), 5),
    ) {
        let came = all_properties(&texts, &entries(&keys, &values));
        let repaired = repaired(came.clone());
        prop_assert_eq!(repaired.len(), came.len());
        let properties = properties(&repaired);
        let is_clean = |text: &str| !text.contains(SUBSTITUTE);
        let is_text = |bytes: &Vec<u8>| std::str::from_utf8(bytes).is_ok_and(is_clean);
        if !texts.iter().chain(&keys).all(is_text) {
            prop_assert!(repaired_property(&properties).is_some());
        }
        let headers = properties.headers().clone().map(AMQPValue::FieldTable);
        prop_assert!(headers.is_none_or(|table| depth(&table) <= DEPTH_MAX));
    }

    #[test]
    fn valid_frames_are_not_changed(
        texts in vec(any_text(), 10),
        keys in vec(any_text(), 0..5),
        body in vec(any::<u8>(), 0..500),
    ) {
        let value = [b"S".to_vec(), long(&texts[0])].concat();
        let value = [b"F".to_vec(), long(&[short(&texts[1]), value].concat())].concat();
        let came = [
            deliver(&texts[2], &texts[3], &texts[4]),
            all_properties(&texts, &entries(&keys, &vec![value; 5])),
            frame(3, &body),
            frame(8, &[]),
        ];
        for frame in &came {
            parse(frame);
        }
        let came = came.concat();
        prop_assert_eq!(repaired(came.clone()), came);
    }

    #[test]
    fn properties_that_are_none_are_parsed(fields in vec(any::<u8>(), 0..700), flags: u16) {
        parse(&repaired(content_header(flags, &fields)));
    }

    #[test]
    fn a_damaged_frame_is_parsed(
        values in vec(any_value(any_text()), 4),
        damage in vec((14_usize..400, any::<u8>()), 1..8),
    ) {
        let keys = vec![b"key".to_vec(); 4];
        let mut frame = all_properties(&vec![b"text".to_vec(); 10], &entries(&keys, &values));
        let end = frame.len() - 1;
        for (at, byte) in damage {
            // Behind the frame's head: a damaged size would leave the frame without an end.
            frame[7 + at % (end - 7)] = byte;
        }
        parse(&repaired(frame));
    }

    #[test]
    fn routing_keys_and_names_are_parsed(texts in vec(any_bytes(), 3)) {
        let frame = parse(&repaired(deliver(&texts[0], &texts[1], &texts[2])));
        let is_delivery = matches!(
            frame,
            AMQPFrame::Method(1, AMQPClass::Basic(AMQPMethod::Deliver(_)))
        );
        prop_assert!(is_delivery);
    }

    #[test]
    fn bytes_in_pieces_are_repaired_the_same(
        texts in vec(any_bytes(), 10),
        bodies in vec(vec(any::<u8>(), 0..300), 0..3),
        cuts in vec(1_usize..60, 1..200),
    ) {
        let mut came = [deliver(&texts[0], b"", &texts[1]), all_properties(&texts, &[])].concat();
        came.extend(bodies.iter().flat_map(|body| frame(3, body)));
        came.extend(deliver(&texts[2], b"", &texts[3]));
        let (mut frames, mut held, mut passed) = (FrameRepair::default(), vec![], vec![]);
        let (mut rest, mut cuts) = (&came[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
            rest = behind;
            held.extend_from_slice(piece);
            let ready = frames.repair(&mut held);
            passed.extend(held.drain(..ready));
        }
        prop_assert!(held.is_empty());
        prop_assert_eq!(passed, repaired(came));
    }
}

/// Tables in tables, as deep as a frame holds: some thousand, in 14 KB and more.
fn nested(tag: u8, depth: usize) -> Vec<u8> {
    let mut value = vec![b'V'];
    for _ in 0..depth {
        let key: &[u8] = if tag == b'F' { &[1, b'k'] } else { &[] };
        value = [vec![tag], long(&[key, &value].concat())].concat();
    }
    value
}

#[test]
fn tables_of_any_depth_are_parsed_on_a_small_stack() {
    for (tag, depth) in [(b'F', 2_000), (b'F', 15_000), (b'A', 20_000), (b'A', 8), (b'F', 7)] {
        let headers = [short(b"deep"), nested(tag, depth)].concat();
        let came = content_header(1 << 13, &long(&headers));
        let parsing = move || {
            let properties = properties(&repaired(came));
            let headers: FieldTable =
                properties.headers().clone().expect("the message has headers");
            repaired_property(&properties).map_or(headers.inner().len(), |_| 0)
        };
        let thread = thread::Builder::new().stack_size(SMALL_STACK_BYTES).spawn(parsing);
        let parsed = thread.expect("a thread").join();
        assert_eq!(parsed.expect("the stack is large enough"), 1, "{depth} of {}", tag as char);
    }
}

#[test]
fn a_bad_byte_becomes_one_byte_and_the_rest_stays() {
    let came = content_header(1 << 7, &short(b"caf\xe9 \xf0\x9f\x98\x80 \xe2\x82"));
    let properties = properties(&repaired(came));
    let id = properties.message_id().as_ref().expect("the message has an id").as_str();
    assert_eq!(id, "caf\u{1a} 😀 \u{1a}\u{1a}");
    assert_eq!(repaired_property(&properties), Some("message_id"));
}

#[test]
fn a_frame_above_the_negotiated_size_is_not_buffered() {
    let payload = vec![0xff; FRAME_BYTES_MAX as usize];
    let came = [frame(2, &payload), content_header(1 << 7, &short(b"\xff"))].concat();
    let repaired = repaired(came.clone());
    assert_eq!(repaired[..payload.len()], came[..payload.len()]);
    properties(&repaired[payload.len() + 8..]);
}

#[test]
fn the_refusal_of_a_version_is_passed_on() {
    assert_eq!(repaired(b"AMQP\0\0\x09\x01".to_vec()), b"AMQP\0\0\x09\x01");
}

/// Prints the cost of the repair beside that of parsing. Large bodies are skipped; small messages
/// cost their properties.
#[test]
fn repair_costs_little_beside_parsing() {
    let texts = vec![b"ledger.transfers.submit.v1 0197f0".to_vec(); 10];
    let small = [deliver(&texts[0], b"bank.commands", &texts[1]), all_properties(&texts, &[])];
    for (name, body) in [("1 KiB", 1024), ("128 KiB", 128 * 1024 - 8)] {
        let message = [&small[0][..], &small[1], &frame(3, &vec![b'x'; body])].concat();
        let mut bytes = message.repeat(4_000_000 / message.len());
        let began = Instant::now();
        assert_eq!(FrameRepair::default().repair(&mut bytes), bytes.len());
        let repairing = began.elapsed();
        let (began, mut rest) = (Instant::now(), &bytes[..]);
        while let Ok((behind, frame)) = parse_frame(rest) {
            black_box(frame);
            rest = behind;
        }
        let parsing = began.elapsed();
        let rate = bytes.len() as f64 / repairing.as_secs_f64() / 1e9;
        let told = format!("{name}: {rate:.2} GB/s, {repairing:?} beside {parsing:?} of parsing");
        let _ = writeln!(std::io::stdout(), "repaired {told}");
        assert!(repairing < parsing, "{told}");
    }
}
