//! The sessions of one worker thread by room and user: where fan-out inside a node ends.

mod deliver;
mod effects;
pub mod farewell;
pub mod inbox;
mod members;
mod notes;
mod pace;
mod replaced;
mod run;
mod seat;
mod slices;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use rookery_core::{
    ids::{RoomId, Seq, SessionId, UserId},
    limits::Limits,
    session::{Input, Subscription},
    time::Millis,
};

use super::{Router, clock, ports::Outbox, registry::RegistryMessage};
use inbox::{Batch, Inbox, Item};
use run::Run;
pub use seat::{Seat, framed};

/// Sessions that were to be closed before they had a seat; kept this long.
const DOOMED_MS: i64 = 60_000;

/// One follower of a room.
struct Member {
    /// The seat's own outbox: one step less on the way of every delivery.
    outbox: Rc<dyn Outbox>,
    subscription: Subscription,
    seat: Rc<Seat>,
}

/// A room as far as this hub follows it.
#[derive(Default)]
struct HubRoom {
    members: Vec<Member>,
    /// The last event that came here, or that is known to be there.
    last: Seq,
}

#[derive(Default)]
struct State {
    sessions: HashMap<SessionId, Rc<Seat>>,
    users: HashMap<UserId, Vec<Rc<Seat>>>,
    rooms: HashMap<RoomId, HubRoom>,
    watched_users: HashMap<UserId, Vec<Rc<Seat>>>,
    watched_rooms: HashMap<RoomId, Vec<Rc<Seat>>>,
    /// What is held back of rooms that rest.
    resting: HashMap<RoomId, Vec<Batch>>,
    doomed: HashMap<SessionId, (u16, &'static str, Millis)>,
}

/// The hub of one worker thread.
pub struct Hub {
    /// Its number.
    pub index: u16,
    /// The way to everybody else.
    pub router: Arc<Router>,
    state: RefCell<State>,
    limits: Cell<Limits>,
    draining: Cell<bool>,
}

thread_local! {
    static HERE: RefCell<Option<Rc<Hub>>> = const { RefCell::new(None) };
}

/// The next worker that has no hub yet.
static NEXT: AtomicU16 = AtomicU16::new(0);

impl Hub {
    /// The hub of this thread, started on first use. `None` when there are more threads than the router has hubs for.
    #[must_use]
    pub fn here(router: &Arc<Router>) -> Option<Rc<Self>> {
        HERE.with_borrow_mut(|here| {
            if here.is_none() {
                *here = Self::start(router);
            }
            here.clone()
        })
    }

    fn start(router: &Arc<Router>) -> Option<Rc<Self>> {
        let index = NEXT.fetch_add(1, Ordering::Relaxed);
        let inbox = Arc::clone(router.hubs().get(usize::from(index))?);
        let hub = Rc::new(Self {
            index,
            router: Arc::clone(router),
            state: RefCell::default(),
            limits: Cell::new(router.limits()),
            draining: Cell::new(router.is_closed.load(Ordering::Acquire)),
        });
        inbox.serve();
        let worker = Rc::clone(&hub);
        actix_rt::spawn(async move {
            let mut items = Vec::new();
            loop {
                inbox.take(&mut items).await;
                worker.handle_all(&mut items, &inbox).await;
                // Sockets get their turn between two lots.
                tokio::task::yield_now().await;
            }
        });
        Some(hub)
    }

    /// The limits, as they were at the last tick.
    pub fn limits(&self) -> Limits {
        self.limits.get()
    }

    /// Whether the node is going.
    pub fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Gives a connection its seat. `Err`: it was to be closed before it had one.
    ///
    /// # Errors
    /// The close code and why.
    pub fn take_seat(&self, seat: &Rc<Seat>) -> Result<(), (u16, &'static str)> {
        let mut state = self.state.borrow_mut();
        if let Some((code, reason, _)) = state.doomed.remove(&seat.peer.session) {
            return Err((code, reason));
        }
        state.sessions.insert(seat.peer.session, Rc::clone(seat));
        state.users.entry(seat.peer.user).or_insert_with(|| Vec::with_capacity(1)).push(Rc::clone(seat));
        self.router.sessions.fetch_add(1, Ordering::Relaxed);
        self.router.budget.arrives(seat.peer.user);
        Ok(())
    }

    /// A connection has ended.
    pub fn leave(&self, seat: &Rc<Seat>) {
        let rooms: Vec<RoomId> = seat.rooms.borrow().iter().map(|(room, _)| *room).collect();
        for room in rooms {
            self.unlisten(seat, room);
        }
        self.watch_users(seat, Vec::new());
        self.watch_rooms(seat, Vec::new());
        let (user, session) = (seat.peer.user, seat.peer.session);
        {
            let mut state = self.state.borrow_mut();
            if state.sessions.remove(&session).is_some() {
                self.router.budget.leaves(user);
                self.router.sessions.fetch_sub(1, Ordering::Relaxed);
            }
            if let Some(seats) = state.users.get_mut(&user) {
                seats.retain(|other| !Rc::ptr_eq(other, seat));
                if seats.is_empty() {
                    state.users.remove(&user);
                }
            }
        }
        self.router.to_registry(user, RegistryMessage::Unregister { user, session });
    }

    /// Batches that came together are joined by room, so that each follower gets one write for all of them.
    async fn handle_all(self: &Rc<Self>, items: &mut Vec<Item>, inbox: &Inbox) {
        let mut run = Run::default();
        for item in items.drain(..) {
            match item {
                Item::Batch(batch) => run.add(batch),
                Item::Rested(room) => {
                    self.deliver_all(run.end(), inbox).await;
                    self.deliver_all(self.rested(room), inbox).await;
                }
                other => {
                    self.deliver_all(run.end(), inbox).await;
                    self.guard(|| self.handle(other));
                }
            }
        }
        self.deliver_all(run.end(), inbox).await;
    }

    /// One bad item must not take the worker's other sessions along.
    fn guard(&self, work: impl FnOnce()) {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
            metrics::counter!("rookery_hub_panics_total").increment(1);
        }
    }

    fn handle(self: &Rc<Self>, item: Item) {
        match item {
            Item::Answer { session, client_id, frame } => {
                if let Some(seat) = self.seat(session) {
                    if let Some(client_id) = client_id {
                        seat.machine.borrow_mut().answered(client_id);
                    }
                    seat.outbox.control(&frame, false);
                }
            }
            Item::Refusal { session, client_id, by, frame } => self.refusal(session, client_id, by, &frame),
            Item::Head { room, head } => self.head_is(room, head),
            Item::Passing { room, frame } => self.pass(room, &frame),
            Item::Typing { room, user, frame } => self.typing(room, user, &frame),
            Item::Presence { user, only, frame } => self.presence(user, only, &frame),
            Item::ToUser { user, note } => self.note(user, &note),
            Item::Undecided { session, client_id, by } => {
                if let Some(seat) = self.seat(session) {
                    seat.step(self, Input::Undecided { client_id, by });
                }
            }
            Item::Unmarked { session, room } => {
                if let Some(seat) = self.seat(session) {
                    seat.step(self, Input::Unmarked { room });
                }
            }
            Item::Restarted { room, by } => self.restarted(room, by),
            Item::Replaced(change) => self.replaced(&change),
            Item::Close { session, code, reason } => self.close(session, code, reason),
            Item::List { user, reply } => {
                let _ = reply.send(self.list(user));
            }
            Item::Drain { reason, done } => {
                self.all_rested().iter().for_each(|batch| self.deliver(batch));
                self.drain(reason, done);
            }
            Item::Stay => self.draining.set(false),
            // Both are seen to before they come here.
            Item::Batch(_) | Item::Rested(_) => {}
            Item::Tick => self.tick(),
        }
    }

    fn seat(&self, session: SessionId) -> Option<Rc<Seat>> {
        self.state.borrow().sessions.get(&session).cloned()
    }

    fn close(self: &Rc<Self>, session: SessionId, code: u16, reason: &'static str) {
        match self.seat(session) {
            Some(seat) => seat.step(self, Input::Close { code, reason }),
            None => {
                let until = clock::now().plus(DOOMED_MS);
                self.state.borrow_mut().doomed.insert(session, (code, reason, until));
            }
        }
    }

    /// Deadlines: heartbeats, hello, readers that do not read.
    fn tick(self: &Rc<Self>) {
        self.limits.set(self.router.limits());
        let now = clock::now();
        let mut due = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            state.doomed.retain(|_, (_, _, until)| *until > now);
            for seat in state.sessions.values() {
                if let Some((code, reason)) = seat.outbox.overdue() {
                    due.push((Rc::clone(seat), Input::Close { code, reason }));
                } else if seat.due.get() <= now {
                    due.push((Rc::clone(seat), Input::Tick));
                }
            }
        }
        for (seat, input) in due {
            seat.step(self, input);
        }
    }
}
