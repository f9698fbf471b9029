"use strict";
// What people said is data: it is only ever put on the page as text.
const STATUS = {
  pending: "espera resposta", granted: "permitido", executing: "sendo feito", done: "feito", failed: "não deu certo",
  refused: "negado", expired: "ninguém respondeu a tempo",
};
const EVERY_MS = 3000;
const byId = (id) => document.getElementById(id);

function clock(moment) {
  return new Date(moment).toLocaleTimeString("pt-BR", { hour: "2-digit", minute: "2-digit" });
}

function told(text) {
  byId("estado").textContent = text;
}

async function answer(id, granted) {
  const reply = await fetch(`/approvals/${id}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ granted }),
  });
  const said = await reply.json();
  await look();
  told(said.reply ?? said.detail ?? "Não consegui responder. Tente de novo.");
}

function row(request) {
  const item = byId("pedido").content.firstElementChild.cloneNode(true);
  const where = request.area ? `, ${request.area}` : "";
  const who = request.asked_by.charAt(0).toUpperCase() + request.asked_by.slice(1);
  item.querySelector(".pergunta").textContent = `${who} quer ${request.doing}`;
  item.querySelector(".palavras").textContent = `“${request.words}”${where}, às ${clock(request.asked_at)}`;
  const by = request.decided_by ? ` por ${request.decided_by}` : "";
  const open = request.status === "pending" && new Date(request.expires_at) > new Date();
  const state = open ? `vale até ${clock(request.expires_at)}` : `${STATUS[request.status] ?? request.status}${by}`;
  item.querySelector(".fim").textContent = request.outcome ? `${state}: ${request.outcome}` : state;
  if (open) {
    item.querySelector(".pode").addEventListener("click", () => answer(request.id, true));
    item.querySelector(".nao").addEventListener("click", () => answer(request.id, false));
  } else {
    item.querySelector(".resposta").remove();
  }
  return [open, item];
}

async function look() {
  try {
    const reply = await fetch("/approvals");
    const found = await reply.json();
    if (!reply.ok) {
      told(found.detail);
      return;
    }
    const rows = found.map(row);
    byId("abertos").replaceChildren(...rows.filter(([open]) => open).map(([, item]) => item));
    byId("respondidos").replaceChildren(...rows.filter(([open]) => !open).map(([, item]) => item));
    told(rows.some(([open]) => open) ? "Alguém espera a sua resposta." : "Ninguém espera por nada agora.");
  } catch {
    told("O Mordomo não responde. Ele está ligado?");
  }
}

look();
setInterval(look, EVERY_MS);
