// A bucket on a free port of loopback: prints the port, and ends with the process that started it.
const S3rver = require("s3rver");

const [folder] = process.argv.slice(2);
const settings = { address: "127.0.0.1", port: 0, silent: true, directory: folder, configureBuckets: [{ name: "rookery" }] };
new S3rver(settings).run((error, address) => {
    if (error) throw error;
    console.log(address.port);
});
process.stdin.on("end", () => process.exit()).resume();
