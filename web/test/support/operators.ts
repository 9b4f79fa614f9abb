// The operators' page in a window, and what is done again and again there.

import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import type { Server } from "../../../sdk/typescript/test/support/server.js";
import { Window } from "./browser.js";

export class Board extends Window {
  static async enter(browser: Browser, server: Server, options: BrowserContextOptions = {}, url = server.admin): Promise<Board> {
    const { page, context } = await Window.open(browser, url, options);
    const board = new Board(context, page);
    await board.show(server.adminToken);
    await board.inside();
    return board;
  }

  async show(token: string): Promise<void> {
    await this.page.getByLabel("Token").fill(token);
    await this.page.getByRole("button", { name: "Open", exact: true }).click();
  }

  override async inside(): Promise<void> {
    await this.page.locator(".top .who .quiet").waitFor();
  }

  async go(page: string): Promise<void> {
    await this.page.getByRole("navigation").getByRole("link", { name: page, exact: true }).click();
    await this.page.getByRole("heading", { level: 1, name: page, exact: true }).waitFor();
  }

  /** Finds somebody or something in a list, and goes there. */
  async find(list: "Users" | "Rooms", name: string): Promise<void> {
    await this.go(list);
    await this.page.getByRole("searchbox").fill(name);
    await this.page.locator("tbody th a", { hasText: name }).first().click();
    await this.page.getByRole("group", { name: "Actions" }).waitFor();
  }

  get dialog(): Locator {
    return this.page.getByRole("dialog");
  }

  button(name: string): Locator {
    return this.page.getByRole("main").getByRole("button", { name, exact: true });
  }

  /** Where the name is to be typed. */
  typed(name: string): Locator {
    return this.dialog.getByLabel(new RegExp(`^Type .${name}. to go on$`));
  }

  yes(name: string): Locator {
    return this.dialog.locator("form").getByRole("button", { name, exact: true });
  }

  /** Confirms what is asked and gives what became of it. */
  async confirm(yes: string): Promise<string> {
    await this.yes(yes).click();
    return this.outcome();
  }

  async outcome(): Promise<string> {
    const outcome = this.dialog.locator(".outcome, .refusal").last();
    const text = plain(await outcome.innerText());
    await this.dialog.locator(".buttons").getByRole("button", { name: /^(Close|Cancel)$/ }).click();
    await this.dialog.waitFor({ state: "detached" });
    return text;
  }

  /** What is written in the question. */
  async asked(): Promise<string> {
    return plain(await this.dialog.innerText());
  }
}

/** Names stand between marks of direction, which are not seen. */
export const plain = (text: string): string => text.replace(/[\u2066-\u2069]/g, "");

/** The value of a line of a chart, as it is written there. */
export async function drawn(page: Page, chart: string, line: string): Promise<string> {
  return page.locator(".chart", { has: page.getByText(chart, { exact: true }) }).locator(".legend li", { hasText: line }).locator("b").innerText();
}
