FROM a
CMD ["é"]
