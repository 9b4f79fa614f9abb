//! Tests of the fan-out driver, through a bare writer.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use super::*;
use crate::bench::bare;
use crate::bench::worker::heard::{Heard, read};

fn order() -> FanOut {
    FanOut {
        room: uuid::Uuid::from_u128(7).to_string(),
        body_bytes: 128,
        bare_frame_bytes: Some(330),
        messages: 40,
        in_flight: 1,
        rate: None,
        seconds: 60.0,
        warm_up: 2,
        pids: vec![std::process::id()],
    }
}

async fn through_a_bare_writer(order: FanOut, seats: usize) -> Sent {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let frame_bytes = order.bare_frame_bytes.unwrap();
    let writer = tokio::spawn(bare::write(listener, bare::Options { sockets: seats, frame_bytes }));
    let mut sockets = Sockets::new();
    let mut control = sockets.connect_bare(address, Ipv4Addr::new(127, 0, 0, 3), seats).await.unwrap();
    let sent = run(&sockets, Some(&mut control), order).await.unwrap();
    drop(control);
    sockets.drop_all().await;
    writer.await.unwrap().unwrap();
    sent
}

#[test]
fn a_bare_event_has_the_size_of_the_real_one_and_reads_like_it() {
    let stamp = Stamp { due: 1_764_028_800_123_456_789, index: 41 };
    for bytes in [330, 400, 1_000] {
        let mut out = Vec::new();
        bare_event(stamp, &order(), bytes, &mut out);
        assert_eq!(out.len(), bytes);
        let payload = frame::first(&out).unwrap().unwrap().payload;
        assert_eq!(read(payload), Ok(Heard::Event { room: 7, seq: 42, stamp: Some(stamp) }));
    }
}

#[tokio::test]
async fn every_message_is_delivered_to_everybody_and_counted_once() {
    for in_flight in [1, 16] {
        let sent = through_a_bare_writer(FanOut { in_flight, ..order() }, 5).await;
        assert_eq!((sent.messages, sent.deliveries, sent.latency.count), (40, 200, 200));
        assert_eq!(sent.frame_bytes, 330);
        assert!(sent.cpu_nanos.is_some());
        assert!(sent.troubles.none(), "{:?}", sent.troubles);
    }
}

#[tokio::test]
async fn an_open_loop_sends_what_is_due_in_its_time() {
    let sent = through_a_bare_writer(FanOut { rate: Some(500.0), seconds: 0.1, ..order() }, 3).await;
    assert_eq!((sent.messages, sent.deliveries), (50, 150));
}
