//! `rookery chat`: a line-based terminal client that shows one room live and sends what is typed.

mod connection;
mod conversation;
mod entrance;
mod names;
mod screen;
mod typed;

use anyhow::Context;
use clap::Args;

/// Chat in a room, line by line, in a terminal or through pipes.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Lines that are typed are sent; lines that start with a slash are commands: /help /who /invite HANDLE /read /quit. \
(A message that starts with a slash: type two.)

The connection may break and the server may restart: what was typed is kept until the server has stored it, and what \
was missed is shown when the connection is back. At the end of the input the client waits until everything is stored, \
and leaves with 0; with 1 if a message was refused.

  rookery chat --register --login alice --create garden --public
  rookery chat --login bob --room garden
  echo 'good morning' | ROOKERY_PASSWORD=… rookery chat --login bob --direct alice")]
pub struct ChatArguments {
    /// Address of the server.
    #[arg(long, value_name = "URL", env = "ROOKERY_URL", default_value = "http://127.0.0.1:8080")]
    url: String,

    /// Handle or email to log in with.
    #[arg(long, value_name = "HANDLE", required_unless_present = "token")]
    login: Option<String>,

    /// The password. Better in the environment, from --password-stdin, or typed when asked.
    #[arg(long, value_name = "PASSWORD", env = "ROOKERY_PASSWORD", hide_env_values = true)]
    password: Option<String>,

    /// Read the password from the first line of the input.
    #[arg(long, conflicts_with = "token")]
    password_stdin: bool,

    /// Use a token of an earlier login instead of logging in.
    #[arg(long, env = "ROOKERY_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// Make the account first, unless it exists.
    #[arg(long, requires = "login")]
    register: bool,

    /// The room to show: its id, or the name of one of your rooms or of a public room, which is then joined.
    #[arg(long, value_name = "ROOM_ID_OR_NAME", conflicts_with_all = ["direct", "create"])]
    room: Option<String>,

    /// Talk to one person.
    #[arg(long, value_name = "HANDLE", conflicts_with = "create")]
    direct: Option<String>,

    /// The room of this name, which is made if you are in none of that name.
    #[arg(long, value_name = "NAME")]
    create: Option<String>,

    /// With --create: everybody may find and join the room.
    #[arg(long, requires = "create")]
    public: bool,

    /// How many of the newest messages are shown first.
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=200))]
    history: u64,
}

/// Runs the client until its user leaves.
///
/// # Errors
/// Returns what kept it from going on, in a sentence for its user; also when a message was refused.
pub fn run(arguments: ChatArguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let outcome = runtime.block_on(talk(arguments));
    runtime.shutdown_background();
    outcome
}

async fn talk(arguments: ChatArguments) -> anyhow::Result<()> {
    let screen = screen::Screen::new();
    let mut typed = typed::Typed::open();
    let entrance = entrance::enter(&arguments, &mut typed).await?;
    let Some(room) = entrance::choose_room(&entrance.rest, &arguments).await? else {
        return entrance::list_rooms(&entrance.rest, &screen).await;
    };
    let mut conversation = conversation::Conversation::open(entrance, room, screen, arguments.history).await?;
    conversation.run(&mut typed).await
}
