// Messages a second of nodemailer's pool of 16 connections: nodemailer.cjs PORT COUNT PAGE
const nodemailer = require("nodemailer");
const [port, count, page] = process.argv.slice(2);
const html = require("fs").readFileSync(page, "utf8");

const pool = nodemailer.createTransport({
    host: "127.0.0.1", port: Number(port), pool: true, maxConnections: 16, maxMessages: Infinity, ignoreTLS: true,
});
const start = process.hrtime.bigint();
const message = (number) => ({
    from: "news@digest.example", to: `r${number}@example.org`, subject: "Digest",
    html: html.replaceAll("@@LINK@@", `https://digest.example/unsubscribe/${number}`), text: "Digest",
});
let next = 0;
const sender = async () => {
    while (next < Number(count)) await pool.sendMail(message(next++));
};
Promise.all(Array.from({length: 16}, sender)).then(() => {
    console.log(Number(count) / (Number(process.hrtime.bigint() - start) / 1e9));
    pool.close();
});
