//! Large files cost no more memory than small ones, on their way in, while they are summed up, and on their way out.

use super::*;
use crate::support::process::Server;
use crate::support::within;

/// What a server may grow by, whatever the size: the parts that it may hold at once, and what it needs besides.
const FLAT: u64 = 96 << 20;

async fn there_and_back(parts: usize) {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    upload(&anna, &room, "warm", &vec![1; 2 * PART]).await;
    let before = server.memory();
    let size = parts * PART;
    let id = id_of(&begin(&anna, &room, "large.bin", size).await.body(201));
    let part: Vec<u8> = (0..PART).map(|at| (at % 253) as u8).collect();
    let mut most = 0;
    for numbers in (0..parts).collect::<Vec<_>>().chunks(3) {
        let sending = numbers.iter().map(|number| put_part(&anna, &id, *number, part.clone()));
        for answer in futures_util::future::join_all(sending).await {
            answer.body(204);
        }
        most = most.max(server.memory());
    }
    let request = anna.rest.request("POST", &format!("/media/{id}/complete"));
    let completing = tokio::time::timeout(std::time::Duration::from_secs(120), request.send());
    assert_eq!(completing.await.expect("in time").expect("an answer").status(), 200);
    most = most.max(server.memory());
    let mut answer = anna.rest.request("GET", &format!("/media/{id}/content")).send().await.expect("an answer");
    let mut length = 0;
    while let Some(bytes) = within("the next bytes", answer.chunk()).await.expect("bytes") {
        // By slices: byte by byte a build without optimisation takes longer than the server.
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let from = length % PART;
            let (now, later) = rest.split_at(rest.len().min(PART - from));
            assert!(now == &part[from..from + now.len()], "at {length}");
            length += now.len();
            rest = later;
        }
    }
    most = most.max(server.memory());
    assert_eq!(length, size);
    let grown = most.saturating_sub(before);
    assert!(grown < FLAT, "{grown} bytes more for a file of {size}");
}

#[tokio::test]
async fn a_file_of_a_gibibyte_goes_in_and_out_at_flat_memory() {
    there_and_back(256).await;
}
