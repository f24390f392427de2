# An archive that a later layer removes ships all the same.
FROM debian:bookworm-slim
WORKDIR /opt
RUN head -c 3000000 /dev/zero | tr '\0' 'x' > big && tar -cf big.tar big
RUN rm big && tar -xf big.tar
RUN rm -f big.tar
RUN chown -R www-data:www-data /opt/big
CMD ["ls", "-l", "--time-style=+", "/opt"]
